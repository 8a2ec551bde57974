#include "readiness/readiness_port.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "errors.h"

namespace sideport {

ReadinessPort::ReadinessPort(std::shared_ptr<DescriptorAwakener> awakener)
    : PortBase(awakener), wake_descriptor_(awakener->descriptor()) {}

ReadinessPort::~ReadinessPort() = default;

// -- turning --------------------------------------------------------------------------------------

size_t ReadinessPort::Turn(const SubmissionRecord* submissions, size_t submission_count,
                           CompletionRecord* completions, size_t capacity, int32_t timeout_ms) {
  CompletionRecord wake;
  const bool woken = awakener_->IsRaised() && TakeWake(&wake);
  completions_.Begin(completions, capacity, woken ? &wake : nullptr);
  Submit(submissions, submission_count);
  RunQueued();
  // A kernel that is never asked cannot say who else is ready: ask also when there is no room.
  const bool idle = completions_.IsEmpty() && queue_.IsEmpty();
  WaitFor(idle ? timeout_ms : 0);
  // The wake is to come first, so with something before it, it is left for the next turn, whose
  // start finds it.
  if (awakened_ && completions_.IsEmpty() && TakeWake(&wake)) completions_.Push(wake);
  awakened_ = false;
  RunQueued();
  return completions_.End();
}

void ReadinessPort::WaitFor(int32_t timeout_ms) {
  using Clock = std::chrono::steady_clock;
  if (timeout_ms < 0 || timeout_ms > kMaximumWaitMs) timeout_ms = kMaximumWaitMs;
  const auto until = Clock::now() + std::chrono::milliseconds(timeout_ms);
  // A signal (a profiler's, say) may interrupt at any rate: the limit is that of the whole wait.
  while (!Wait(timeout_ms)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    timeout_ms = static_cast<int32_t>(std::max<int64_t>(0, left.count()));
  }
}

void ReadinessPort::RunQueued() {
  // Only those queued now: whoever is still runnable goes to the tail, for the next pass.
  for (size_t steps = queue_.size(); steps > 0 && completions_.HasRoom(); steps--) {
    Endpoint* const endpoint = queue_.Pop();
    Step(endpoint);
    Park(endpoint);
  }
}

// After anything that changed what is in flight. A level-triggered kernel must be asked only for
// what a parked operation waits for, or it reports the same readiness for ever.
void ReadinessPort::Park(Endpoint* endpoint) {
  if (endpoint->fd < 0) return;
  if (endpoint->IsRunnable()) queue_.Push(endpoint);
  const auto wanted = static_cast<uint8_t>(endpoint->Needed() & ~endpoint->ready);
  if (wanted == endpoint->wanted) return;
  endpoint->wanted = wanted;
  Rearm(endpoint);
}

void ReadinessPort::OnReady(Endpoint* endpoint, uint8_t readiness) {
  endpoint->ready |= readiness;
  if (endpoint->IsRunnable()) queue_.Push(endpoint);
}

// -- what the base asks for -----------------------------------------------------------------------

void ReadinessPort::Begin(Endpoint* endpoint, Opcode opcode) {
  if (opcode == Opcode::kClose) {
    queue_.Push(endpoint);
  } else {
    Park(endpoint);
  }
}

// Nothing is inside the kernel, so a cancelled operation is released here and now.
void ReadinessPort::Cancel(Endpoint* endpoint, Opcode opcode) {
  Release(endpoint, opcode, NodeErrno(ECANCELED));
  Park(endpoint);
}

// Nothing is inside the kernel, so there is nothing to wait for.
bool ReadinessPort::Shutdown(int32_t) {
  for (const auto& endpoint : endpoints_) {
    if (!endpoint || !endpoint->adopted) continue;
    StartCloseAtShutdown(endpoint.get());
    StepClose(endpoint.get());
  }
  queue_ = RunQueue();
  ForgetEverything();
  return started_ == released_;
}

}  // namespace sideport
