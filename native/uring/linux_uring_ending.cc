// UringPort's ends: of a request by cancelling it, of an endpoint, and of the port.

#include <cerrno>
#include <chrono>

#include "errors.h"
#include "socket.h"
#include "uring/linux_uring.h"

namespace sideport {

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
  if (endpoint->accepting) {
    // As the kernel does with those in a closed listener's backlog.
    for (int fd : endpoint->accepting->surplus) CloseSocket(fd, CloseMode::kReset);
    endpoint->accepting.reset();
  }
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
  const auto patience = std::chrono::milliseconds(timeout_ms);
  auto until = SteadyClock::now() + patience;
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
    // Ten thousand resets take their time: the kernel is given up only when it gives nothing back.
    const uint64_t released = released_;
    Drain();
    if (released_ != released) until = SteadyClock::now() + patience;
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
