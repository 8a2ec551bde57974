// A completion port over a readiness kernel: the part that epoll and poll (and a later kqueue)
// share.
//
// An operation is attached to its endpoint, waits there until the kernel says that the descriptor
// is ready, is then performed by a non-blocking call, and reports what the call returned. Nothing
// is ever in flight inside the kernel, so cancelling is immediate and memory is touched only within
// Turn.
//
//               start                    not ready (EAGAIN)
//   submission ───────► runnable ───────────────────────► parked
//                         │  ▲                               │
//        performed:       │  └───────── kernel: ready ───────┘
//        completion  ◄────┘
//
// `Endpoint::ready` is what is believed: the kernel sets bits, a call that would block clears them.
// A runnable endpoint is in the run queue. Each pass over the queue takes the endpoints that were
// in it at its start, one step each: one receive, one send, a few accepts. So one endpoint's flood
// delays another by a step, and a full completion array leaves the rest queued for the next turn.
//
// Files: port_base.cc takes submissions, readiness_port.cc turns, readiness_operations.cc performs,
// readiness_datagrams.cc those on datagram sockets.
#pragma once

#include <memory>

#include "port/port_base.h"
#include "posix/descriptor_awakener.h"

namespace sideport {

class ReadinessPort : public PortBase {
 public:
  explicit ReadinessPort(std::shared_ptr<DescriptorAwakener> awakener);
  ~ReadinessPort() override;

  size_t Turn(const SubmissionRecord* submissions, size_t submission_count,
              CompletionRecord* completions, size_t capacity, int32_t timeout_ms) final;
  bool Shutdown(int32_t timeout_ms) final;

 protected:
  // -- what a kernel must supply ------------------------------------------------------------------

  // Ends watching a descriptor that the base's Watch began.
  virtual void Unwatch(Endpoint* endpoint) = 0;
  // Endpoint::wanted has changed. A kernel that reports every edge need not listen.
  virtual void Rearm(Endpoint* endpoint) = 0;
  // Waits once and calls OnReady for each descriptor. Returns false when a signal interrupted it.
  virtual bool Wait(int32_t timeout_ms) = 0;
  // A kernel with one call that accepts and sets the flags overrides it.
  virtual int32_t Accept(int fd, WireAddress* peer);

  void OnReady(Endpoint* endpoint, uint8_t readiness);
  void OnAwakened() { awakened_ = true; }
  // Readable while a wake is pending.
  int wake_descriptor() const { return wake_descriptor_; }

 private:
  // -- turning (readiness_port.cc)
  void Begin(Endpoint* endpoint, Opcode opcode) final;
  void Cancel(Endpoint* endpoint, Opcode opcode) final;
  void WaitFor(int32_t timeout_ms);
  void RunQueued();
  void Park(Endpoint* endpoint);

  // -- performing (readiness_operations.cc)
  void Step(Endpoint* endpoint);
  void StepConnect(Endpoint* endpoint);
  void StepAccept(Endpoint* endpoint);
  void StepReceive(Endpoint* endpoint);
  void StepSend(Endpoint* endpoint);
  void StepReceiveFrom(Endpoint* endpoint);
  void StepSendTo(Endpoint* endpoint);
  void StepClose(Endpoint* endpoint);
  void ReleaseAll(Endpoint* endpoint, int32_t result);

  const int wake_descriptor_;
  bool awakened_ = false;
  RunQueue queue_;
};

}  // namespace sideport
