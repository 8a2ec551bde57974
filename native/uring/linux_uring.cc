#include "uring/linux_uring.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <chrono>

#include "errors.h"
#include "socket.h"
#include "uring/linux_uring_probe.h"

namespace sideport {
namespace {

// A turn may need more entries; then it submits in parts. Completions that do not fit are kept by the
// kernel, at a price. All of it counts as locked memory, 52 KiB: the limit of an unprivileged user
// is 64 KiB on older systems.
constexpr uint32_t kSubmissionEntries = 256;
constexpr uint32_t kCompletionEntries = 2048;

}  // namespace

UringPort::UringPort(std::shared_ptr<DescriptorAwakener> awakener)
    : PortBase(awakener), wake_descriptor_(awakener->descriptor()) {
  ProbeUring();
  queue_ = std::make_unique<UringQueue>(kSubmissionEntries, kCompletionEntries);
}

UringPort::~UringPort() = default;

// -- turning --------------------------------------------------------------------------------------

size_t UringPort::Turn(const SubmissionRecord* submissions, size_t submission_count,
                       CompletionRecord* completions, size_t capacity, int32_t timeout_ms) {
  turn_++;
  CompletionRecord wake;
  const bool woken = awakener_->IsRaised() && TakeWake(&wake);
  completions_.Begin(completions, capacity, woken ? &wake : nullptr);
  if (!awakener_armed_) ArmAwakener();
  SubmitPostponed();
  Submit(submissions, submission_count);
  Wait(timeout_ms);
  return completions_.End();
}

// One Enter per turn, or none: when completions are there already it only submits, and with nothing
// to submit either a turn that may not wait makes no system call. What Deliver makes anew (the rest
// of a send, a cancellation) goes with the next turn's, which follows a completion at once.
void UringPort::Wait(int32_t timeout_ms) {
  if (timeout_ms < 0 || timeout_ms > kMaximumWaitMs) timeout_ms = kMaximumWaitMs;
  Deliver();
  if (timeout_ms == 0 || !completions_.IsEmpty()) {
    if (!queue_->HasWork()) return;
    queue_->Enter(0);
    return Deliver();
  }
  const auto until = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  for (int64_t left_ns = int64_t{timeout_ms} * 1'000'000; left_ns > 0;
       left_ns = NanosecondsUntil(until)) {
    // Returns early also by a signal, or with completions that concern us alone.
    queue_->Enter(left_ns);
    Deliver();
    if (!completions_.IsEmpty()) return;
  }
}

// Completes what has waited at its endpoint, then takes completions while there is room. An
// endpoint's second receive takes none at first: it lines up behind whoever has had no turn yet.
void UringPort::Deliver() {
  do {
    for (size_t steps = run_.size(); steps > 0 && completions_.HasRoom(); steps--) {
      auto* const endpoint = static_cast<UringEndpoint*>(run_.Pop());
      CompleteNextReceived(endpoint);
      if (endpoint->HasReceived()) had_turn_.push_back(endpoint);
    }
    io_uring_cqe completion;
    while (completions_.HasRoom() && queue_->Pop(&completion)) OnCompletion(completion);
    for (UringEndpoint* endpoint : had_turn_) run_.Push(endpoint);
    had_turn_.clear();
  } while (completions_.HasRoom() && !run_.IsEmpty());
}

void UringPort::OnCompletion(const io_uring_cqe& completion) {
  const uint64_t name = completion.user_data;
  const bool more = (completion.flags & IORING_CQE_F_MORE) != 0;
  if (name == request_name::kAwakener) return OnAwakened(more);
  if (name == request_name::kCancelEverything) return;
  if ((name & request_name::kCancel) != 0) return OnCancelFailed(name & ~request_name::kCancel);
  const Opcode opcode = request_name::OpcodeOf(name);
  auto* const endpoint =
      static_cast<UringEndpoint*>(endpoints_[request_name::EndpointOf(name)].get());
  if (!more) {
    endpoint->End(opcode);
    endpoint->cancelling &= static_cast<uint8_t>(~Endpoint::Bit(opcode));
    requests_--;
  }
  switch (opcode) {
    case Opcode::kAccept:
      OnAccept(endpoint, completion.res, more);
      break;
    case Opcode::kConnect:
      OnConnect(endpoint, completion.res);
      break;
    case Opcode::kSend:
      OnSend(endpoint, completion.res);
      break;
    case Opcode::kReceiveFrom:
      OnReceiveFrom(endpoint, completion);
      break;
    case Opcode::kSendTo:
      OnRoom(endpoint, completion.res);
      break;
    case kHangUpWatch:
      OnHangUp(endpoint, completion.res);
      break;
    default:
      OnReceive(endpoint, completion);
  }
  FinishCloseIfIdle(endpoint);
}

// A poll of the eventfd that completes at every write to it.
void UringPort::ArmAwakener() {
  io_uring_sqe* const entry = queue_->NextEntry();
  if (entry == nullptr) return;
  DescribePoll(POLLIN, entry);
  entry->fd = wake_descriptor_;
  entry->len = IORING_POLL_ADD_MULTI;
  entry->user_data = request_name::kAwakener;
  requests_++;
  awakener_armed_ = true;
}

void UringPort::OnAwakened(bool more) {
  if (!more) {
    requests_--;
    awakener_armed_ = false;
  }
  if (shutting_down_) return;
  // Armed now and not only at the next turn: this one may go on to wait. The poll begins with a
  // look, so no write in between is lost.
  if (!more) ArmAwakener();
  CompletionRecord wake;
  if (TakeWake(&wake)) completions_.Push(wake);
}

void UringPort::SubmitPostponed() {
  if (postponed_.empty()) return;
  std::vector<Postponed> postponed;
  postponed.swap(postponed_);
  for (const Postponed& one : postponed) {
    if (one.cancels) {
      CancelRequest(one.endpoint, one.opcode);
    } else if (one.opcode == kHangUpWatch) {
      WatchHangUp(one.endpoint);
    } else if (one.endpoint->Has(one.opcode)) {
      Arm(one.endpoint, one.opcode);
    }
  }
}

// -- what the base asks for -----------------------------------------------------------------------

std::unique_ptr<Endpoint> UringPort::NewEndpoint() { return std::make_unique<UringEndpoint>(); }

// Each request would tell of a wrong descriptor; the contract wants it known here.
int32_t UringPort::Watch(Endpoint* endpoint) {
  return fcntl(endpoint->fd, F_GETFD) < 0 ? LastNodeErrno() : 0;
}

void UringPort::Begin(Endpoint* base, Opcode opcode) {
  auto* const endpoint = static_cast<UringEndpoint*>(base);
  if (opcode == Opcode::kClose) return BeginClose(endpoint);
  endpoint->unwanted &= static_cast<uint8_t>(~Endpoint::Bit(opcode));
  if (opcode == Opcode::kAccept) TakeSurplus(endpoint);
  if (endpoint->Has(opcode)) Arm(endpoint, opcode);
}

void UringPort::Cancel(Endpoint* base, Opcode opcode) {
  auto* const endpoint = static_cast<UringEndpoint*>(base);
  endpoint->unwanted |= Endpoint::Bit(opcode);
  if (endpoint->Request(opcode) != request_name::kNone) return CancelRequest(endpoint, opcode);
  // The request has ended and what it said waits for its turn; the release is part of that.
  if (opcode == Opcode::kReceive && endpoint->HasReceived()) return;
  Release(endpoint, opcode, NodeErrno(ECANCELED));
  if (opcode == Opcode::kConnect && !endpoint->Has(Opcode::kClose)) ArmHeld(endpoint);
}

void UringPort::Provide(int32_t group, int32_t segment, int32_t index) {
  rings_.Provide(queue_.get(), group, segment, index);
}

// A completion that the kernel has made but we have not taken may name a buffer of the group: it is
// the selector's already. All others are still the group's once the kernel has lost its ring.
void UringPort::DropGroup(int32_t number) {
  UringGroup* const group = rings_.Unregister(queue_.get(), number);
  if (group == nullptr) return;
  std::vector<bool> is_filled(kBufferRingEntries);
  for (const io_uring_cqe& completion : queue_->TakeIn()) {
    const uint64_t name = completion.user_data;
    if ((completion.flags & IORING_CQE_F_BUFFER) == 0) continue;
    const auto* const endpoint =
        static_cast<UringEndpoint*>(endpoints_[request_name::EndpointOf(name)].get());
    if (endpoint->group != group) continue;
    is_filled[completion.flags >> IORING_CQE_BUFFER_SHIFT] = true;
  }
  rings_.TakeBack(group, is_filled);
}

}  // namespace sideport
