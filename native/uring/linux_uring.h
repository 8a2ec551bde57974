// io_uring(7): the kernel performs the operations itself. Needs Linux 6.1.
//
//                Arm                  completion, more to do         completion
//   operation ────────► request ────────────────────────────► Arm   ───────────► released
//      │                   ▲ │ completion with more to come (multishot)
//      │ waits for         │ └──────► reported with kMore
//      └─ the connect ─────┘
//
// * Receives and accepts are multishot: one request, any number of completions. The kernel cannot
//   count, so at the operation's limit the request is cancelled. Bytes that were received meanwhile
//   are reported with kMore before the release, connections are kept for the next accept.
// * A receive request waits for data first (kPollFirst) and then picks a buffer from its group's
//   ring: an idle connection holds none, and -ENOBUFS means that there are data but no buffer.
// * A multishot receive sleeps over an error that arrived together with the last bytes. So a second
//   request watches for the end, and from then on each receive is a request of its own.
// * The kernel works for us only during Enter (see linux_uring_queue.h), which is why cancelling at
//   the next Enter is early enough, and a group's ring can be taken away between two.
// * The completion array being full, the rest stays in the completion ring. Receives alone are taken
//   out ahead, to wait at their endpoints, which then take turns.
//
// Files: linux_uring_queue the rings and system calls, linux_uring_buffers the groups,
// linux_uring_probe what a kernel must show; of this class linux_uring.cc turns,
// linux_uring_operations.cc starts requests and hears of their completions,
// linux_uring_receiving.cc of those of receives, linux_uring_datagrams.cc of those on datagram sockets,
// linux_uring_ending.cc cancels, closes and ends.
#pragma once

#include <memory>
#include <vector>

#include "port/port_base.h"
#include "posix/descriptor_awakener.h"
#include "uring/linux_uring_buffers.h"
#include "uring/linux_uring_endpoint.h"
#include "uring/linux_uring_queue.h"

namespace sideport {

class UringPort final : public PortBase {
 public:
  // Throws std::system_error, which says why, when the kernel denies or lacks anything needed.
  explicit UringPort(std::shared_ptr<DescriptorAwakener> awakener);
  ~UringPort() override;
  const char* name() const override { return "io_uring"; }

  size_t Turn(const SubmissionRecord* submissions, size_t submission_count,
              CompletionRecord* completions, size_t capacity, int32_t timeout_ms) override;
  void DropGroup(int32_t group) override;
  bool Shutdown(int32_t timeout_ms) override;

 private:
  // -- what the base asks for
  std::unique_ptr<Endpoint> NewEndpoint() override;
  int32_t Watch(Endpoint* endpoint) override;
  void Begin(Endpoint* endpoint, Opcode opcode) override;
  void Cancel(Endpoint* endpoint, Opcode opcode) override;
  void Provide(int32_t group, int32_t segment, int32_t index) override;

  // -- turning (linux_uring.cc)
  void Wait(int32_t timeout_ms);
  void Deliver();
  void OnCompletion(const io_uring_cqe& completion);
  void ArmAwakener();
  void OnAwakened(bool more);
  void SubmitPostponed();

  // -- ending (linux_uring_ending.cc)
  void BeginClose(UringEndpoint* endpoint);
  void FinishCloseIfIdle(UringEndpoint* endpoint);
  void CancelRequest(UringEndpoint* endpoint, Opcode opcode);
  void OnCancelFailed(uint64_t request);
  void Drain();

  // -- requests (linux_uring_operations.cc)
  void Arm(UringEndpoint* endpoint, Opcode opcode);
  // A request of the endpoint is the kernel's from here on; returns its name.
  uint64_t NameRequest(UringEndpoint* endpoint, Opcode opcode);
  bool PrepareConnect(UringEndpoint* endpoint);
  void Describe(UringEndpoint* endpoint, Opcode opcode, io_uring_sqe* entry);
  void ArmHeld(UringEndpoint* endpoint);
  void TakeSurplus(UringEndpoint* endpoint);
  void OnAccept(UringEndpoint* endpoint, int32_t result, bool more);
  void OnConnect(UringEndpoint* endpoint, int32_t result);
  void OnSend(UringEndpoint* endpoint, int32_t result);

  // -- receiving (linux_uring_receiving.cc)
  void OnReceive(UringEndpoint* endpoint, const io_uring_cqe& completion);
  void WatchHangUp(UringEndpoint* endpoint);
  void OnHangUp(UringEndpoint* endpoint, int32_t result);
  void ReceiveByHand(UringEndpoint* endpoint, ReceivedPiece* piece);
  void CompleteNextReceived(UringEndpoint* endpoint);
  void CompleteReceive(UringEndpoint* endpoint, const ReceivedPiece& piece);
  void EndReceive(UringEndpoint* endpoint, int32_t result);

  // -- datagrams (linux_uring_datagrams.cc)
  void DescribeReceiveFrom(UringEndpoint* endpoint, io_uring_sqe* entry);
  void OnReceiveFrom(UringEndpoint* endpoint, const io_uring_cqe& completion);
  int32_t ReceiveDatagramByHand(UringEndpoint* endpoint);
  void GoOnReceivingFrom(UringEndpoint* endpoint, int32_t result);
  void SendToNow(UringEndpoint* endpoint);
  void OnRoom(UringEndpoint* endpoint, int32_t result);

  // What found the submission ring full.
  struct Postponed {
    UringEndpoint* endpoint;
    Opcode opcode;
    bool cancels;
  };

  UringBuffers rings_{&buffers_};
  // Destroyed before what the kernel may use.
  std::unique_ptr<UringQueue> queue_;
  uint64_t requests_ = 0;  // inside the kernel, the awakener's included
  uint32_t next_serial_ = 1;
  const int wake_descriptor_;
  bool awakener_armed_ = false;
  bool shutting_down_ = false;

  // Endpoints whose received pieces wait take turns; who had its turn lines up behind the others.
  RunQueue run_;
  std::vector<UringEndpoint*> had_turn_;
  uint32_t turn_ = 0;
  std::vector<Postponed> postponed_;
};

}  // namespace sideport
