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
// Files: readiness_port.cc takes submissions and turns, readiness_operations.cc performs.
#pragma once

#include <memory>
#include <unordered_set>
#include <vector>

#include "awakener.h"
#include "buffer_groups.h"
#include "completion_port.h"
#include "completion_queue.h"
#include "endpoint.h"

namespace sideport {

class ReadinessPort : public CompletionPort {
 public:
  explicit ReadinessPort(std::shared_ptr<Awakener> awakener);
  ~ReadinessPort() override;

  size_t Turn(const SubmissionRecord* submissions, size_t submission_count,
              CompletionRecord* completions, size_t capacity, int32_t timeout_ms) final;
  void AddSegment(int32_t segment, uint8_t* memory, size_t buffer_size, size_t buffer_count) final;
  bool RemoveSegment(int32_t segment) final;
  void DropGroup(int32_t group) final;
  bool Shutdown(int32_t timeout_ms) final;

 protected:
  // -- what a kernel must supply ------------------------------------------------------------------

  // Begins and ends watching a descriptor. Watch returns 0 or Node's negative errno.
  virtual int32_t Watch(Endpoint* endpoint) = 0;
  virtual void Unwatch(Endpoint* endpoint) = 0;
  // Endpoint::wanted has changed. A kernel that reports every edge need not listen.
  virtual void Rearm(Endpoint* endpoint) = 0;
  // Waits once and calls OnReady for each descriptor. Returns false when a signal interrupted it.
  virtual bool Wait(int32_t timeout_ms) = 0;
  // A kernel with one call that accepts and sets the flags overrides it.
  virtual int32_t Accept(int fd, WireAddress* peer);

  void OnReady(Endpoint* endpoint, uint8_t readiness);
  void OnAwakened() { awakened_ = true; }
  const Awakener& awakener() const { return *awakener_; }

 private:
  // -- submissions (readiness_port.cc)
  void Submit(const SubmissionRecord* records, size_t count);
  void Command(const SubmissionRecord& record);
  void Adopt(int32_t number, int fd);
  void Cancel(Endpoint* endpoint, int32_t opcode);
  size_t Start(const SubmissionRecord* records, size_t count);
  int32_t Prepare(Endpoint* endpoint, const SubmissionRecord* records, size_t count);
  int32_t PrepareSend(Endpoint* endpoint, const SubmissionRecord* records, size_t count);
  void Reject(const SubmissionRecord& record, int32_t error);
  Endpoint* Find(int32_t number);

  // -- turning (readiness_port.cc)
  void WaitFor(int32_t timeout_ms);
  bool TakeWake(CompletionRecord* record);
  void RunQueued();
  void Park(Endpoint* endpoint);

  // -- performing (readiness_operations.cc)
  void Step(Endpoint* endpoint);
  void StepConnect(Endpoint* endpoint);
  void StepAccept(Endpoint* endpoint);
  void StepReceive(Endpoint* endpoint);
  void StepSend(Endpoint* endpoint);
  void StepClose(Endpoint* endpoint);
  void Complete(Endpoint* endpoint, Opcode opcode, CompletionRecord record);
  void Release(Endpoint* endpoint, Opcode opcode, int32_t result);
  void ReleaseAll(Endpoint* endpoint, int32_t result);
  void DropSend(Endpoint* endpoint);

  std::shared_ptr<Awakener> awakener_;
  bool awakened_ = false;
  // By number, in place for good: the kernel holds their addresses. A closed one waits for its
  // number's next tenant.
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  RunQueue queue_;
  CompletionQueue completions_;
  BufferGroups buffers_;
  std::vector<std::unique_ptr<SendOperation>> spare_sends_;
  // Accepted, reported, and not adopted yet. They are the selector's, but a selector whose thread
  // is terminated between a turn and the next would leak them: Shutdown closes what is left.
  std::unordered_set<int> unadopted_;
};

}  // namespace sideport
