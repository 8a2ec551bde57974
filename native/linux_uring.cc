#include "linux_uring.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <chrono>

#include "errors.h"
#include "linux_uring_probe.h"
#include "socket.h"

namespace sideport {
namespace {

using Clock = std::chrono::steady_clock;

// A turn may need more entries; then it submits in parts. Completions that do not fit are kept by the
// kernel, at a price. All of it counts as locked memory, 52 KiB: the limit of an unprivileged user
// is 64 KiB on older systems.
constexpr uint32_t kSubmissionEntries = 256;
constexpr uint32_t kCompletionEntries = 2048;

int64_t NanosecondsUntil(Clock::time_point until) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(until - Clock::now()).count();
}

}  // namespace

UringPort::UringPort(std::shared_ptr<Awakener> awakener) : PortBase(std::move(awakener)) {
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
  const auto until = Clock::now() + std::chrono::milliseconds(timeout_ms);
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
    endpoint->Request(opcode) = request_name::kNone;
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
  entry->fd = awakener_->descriptor();
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

// -- ending ---------------------------------------------------------------------------------------

void UringPort::BeginClose(UringEndpoint* endpoint) {
  for (Opcode opcode : kRequestOpcodes) {
    if (endpoint->Has(opcode)) Cancel(endpoint, opcode);
  }
  CancelRequest(endpoint, kHangUpWatch);
  FinishCloseIfIdle(endpoint);
}

// Only then may the descriptor's number be given back: a request names the open file, but one in the
// submission ring still names the number.
void UringPort::FinishCloseIfIdle(UringEndpoint* endpoint) {
  if (endpoint->in_flight != Endpoint::Bit(Opcode::kClose) || endpoint->HasRequest()) return;
  if (endpoint->surplus) {
    // As the kernel does with those in a closed listener's backlog.
    for (int fd : *endpoint->surplus) CloseSocket(fd, CloseMode::kReset);
    endpoint->surplus.reset();
  }
  endpoint->refusals = 0;
  endpoint->hung_up = false;
  FinishClose(endpoint);
}

void UringPort::CancelRequest(UringEndpoint* endpoint, Opcode opcode) {
  const uint64_t request = endpoint->Request(opcode);
  const uint8_t bit = Endpoint::Bit(opcode);
  if (request == request_name::kNone || (endpoint->cancelling & bit) != 0) return;
  io_uring_sqe* const entry = queue_->NextEntry();
  if (entry == nullptr) return postponed_.push_back({endpoint, opcode, true});
  endpoint->cancelling |= bit;
  entry->opcode = IORING_OP_ASYNC_CANCEL;
  entry->fd = -1;
  entry->addr = request;
  entry->flags = uring::kEntrySkipSuccess;
  entry->user_data = request | request_name::kCancel;
}

// The request has ended, or is just being worked on: then the kernel does not find it among those
// that wait, and a multishot would go on for ever. So it is asked for again until its end is here.
void UringPort::OnCancelFailed(uint64_t request) {
  auto* const endpoint =
      static_cast<UringEndpoint*>(endpoints_[request_name::EndpointOf(request)].get());
  const Opcode opcode = request_name::OpcodeOf(request);
  if (endpoint->Request(opcode) != request) return;
  endpoint->cancelling &= static_cast<uint8_t>(~Endpoint::Bit(opcode));
  CancelRequest(endpoint, opcode);
}

// Cancels, then reaps until the kernel has let go of everything. Only then are rings unregistered,
// unmapped, and the descriptor closed: closing alone would prove nothing.
bool UringPort::Shutdown(int32_t timeout_ms) {
  const auto until = Clock::now() + std::chrono::milliseconds(timeout_ms);
  shutting_down_ = true;
  for (const auto& base : endpoints_) {
    auto* const endpoint = static_cast<UringEndpoint*>(base.get());
    if (endpoint == nullptr || !endpoint->adopted) continue;
    if (StartCloseAtShutdown(endpoint)) BeginClose(endpoint);
  }
  Drain();
  for (int64_t left_ns = 1; requests_ > 0 && left_ns > 0; left_ns = NanosecondsUntil(until)) {
    SubmitPostponed();
    io_uring_sqe* const entry = queue_->NextEntry();
    if (entry != nullptr) {
      entry->opcode = IORING_OP_ASYNC_CANCEL;
      entry->fd = -1;
      entry->cancel_flags = uring::kCancelAll | uring::kCancelAny;
      entry->flags = uring::kEntrySkipSuccess;
      entry->user_data = request_name::kCancelEverything;
    }
    queue_->Enter(NanosecondsUntil(until));
    Drain();
  }
  if (requests_ > 0) return false;
  rings_.Clear(queue_.get());
  run_ = RunQueue();
  postponed_.clear();
  ForgetEverything();
  queue_.reset();
  return started_ == released_;
}

// Deliver without a completion array: what is completed now is told to nobody.
void UringPort::Drain() {
  io_uring_cqe completion;
  while (queue_->Pop(&completion)) OnCompletion(completion);
  for (UringEndpoint* endpoint : had_turn_) run_.Push(endpoint);
  had_turn_.clear();
  while (!run_.IsEmpty()) {
    auto* const endpoint = static_cast<UringEndpoint*>(run_.Pop());
    while (endpoint->HasReceived()) CompleteNextReceived(endpoint);
  }
}

}  // namespace sideport
