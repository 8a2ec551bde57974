// I/O completion ports: the kernel performs the operations itself and queues a packet for each.
//
//                Arm                 packet, more to do           packet
//   operation ────────► request ────────────────────────► Arm   ─────────► released
//      │                                                           ▲
//      └── waits for the connect             instant completion ───┘ (no packet, see `skips`)
//
// * A receive waits by a *probe*, a receive of no bytes, which holds no buffer. When that completes a
//   buffer is taken from the group and filled by a call that does not wait. So the kernel never holds
//   receive buffers beyond a turn, and there are endpoints with something to receive, which take
//   turns, as in a readiness port.
// * An accept keeps several requests out, each with a socket made beforehand, never more than its
//   limit: it cannot overshoot. Connections that were made when it was cancelled are kept for the next.
// * A send is one request, with up to kPiecesPerSend buffers. The kernel reads them until its packet.
// * Datagrams are waited for and received in the same way, by a probe that peeks. They are sent by calls
//   that do not wait; what finds no room is one request.
// * A completion's NTSTATUS is looked at before anything else.
// * Cancelling asks (CancelIoEx); the packet still comes, and is the release. Closing cancels, closes
//   the socket, and waits for the packets. Cancelled first, because under Wine a bare close leaves a
//   pending send without a packet.
//
// Files: of this class windows_iocp.cc turns, windows_iocp_operations.cc starts requests and hears of
// their packets, windows_iocp_accepting.cc of those of accepts, windows_iocp_datagrams.cc of those on
// datagram sockets, windows_iocp_handles.cc of those on pipes and other handles that are no sockets,
// windows_iocp_ending.cc cancels, closes and ends.
#pragma once

#include <memory>
#include <vector>

#include "port/port_base.h"
#include "windows/windows_awakener.h"
#include "windows/windows_iocp_endpoint.h"

namespace sideport {

class IocpPort final : public PortBase {
 public:
  explicit IocpPort(std::shared_ptr<PortAwakener> awakener);
  const char* name() const override { return "iocp"; }

  size_t Turn(const SubmissionRecord* submissions, size_t submission_count,
              CompletionRecord* completions, size_t capacity, int32_t timeout_ms) override;
  bool Shutdown(int32_t timeout_ms) override;

 private:
  // How a call that starts a request has ended.
  enum class Begun { kPending, kDone, kFailed };

  // -- what the base asks for
  std::unique_ptr<Endpoint> NewEndpoint() override;
  int32_t Watch(Endpoint* endpoint) override;
  void Begin(Endpoint* endpoint, Opcode opcode) override;
  void Cancel(Endpoint* endpoint, Opcode opcode) override;
  void Shut(Endpoint* endpoint, int32_t how) override;

  // -- turning (windows_iocp.cc)
  void Wait(int32_t timeout_ms);
  bool Dequeue(DWORD timeout_ms);
  void OnPacket(const OVERLAPPED_ENTRY& packet);
  void RunReceives();

  // -- requests (windows_iocp_operations.cc)
  void Prepare(IocpEndpoint* endpoint, Request* request, Opcode opcode);
  Begun Classify(Request* request, bool succeeded, DWORD error);
  void Arm(IocpEndpoint* endpoint, Opcode opcode);
  void ArmHeld(IocpEndpoint* endpoint);
  void Connect(IocpEndpoint* endpoint);
  void OnConnect(IocpEndpoint* endpoint, int32_t error);
  void Send(IocpEndpoint* endpoint);
  void OnSend(IocpEndpoint* endpoint, int32_t error, DWORD bytes);
  void Probe(IocpEndpoint* endpoint);
  void OnProbe(IocpEndpoint* endpoint, int32_t error);
  void ReceiveOnce(IocpEndpoint* endpoint);
  void EndReceive(IocpEndpoint* endpoint, int32_t result);

  // -- pipes and other handles (windows_iocp_handles.cc)
  int32_t WatchHandle(IocpEndpoint* endpoint);
  void ArmHandle(IocpEndpoint* endpoint, Opcode opcode);
  void ConnectPipe(IocpEndpoint* endpoint);
  void SendToHandle(IocpEndpoint* endpoint);
  void ProbeHandle(IocpEndpoint* endpoint);
  void ReceiveFromPipe(IocpEndpoint* endpoint);
  void ReceiveFromForeign(IocpEndpoint* endpoint);
  void CompletePiece(IocpEndpoint* endpoint, const Buffer& buffer, DWORD bytes, bool goes_on);

  // -- datagrams (windows_iocp_datagrams.cc)
  void ProbeDatagrams(IocpEndpoint* endpoint);
  void OnDatagramProbe(IocpEndpoint* endpoint, int32_t error);
  void ReceiveSome(IocpEndpoint* endpoint);
  void EndReceiving(IocpEndpoint* endpoint, int32_t result);
  void BeginSendTo(IocpEndpoint* endpoint);
  void SendTo(IocpEndpoint* endpoint);
  void AwaitRoom(IocpEndpoint* endpoint);
  void OnSendTo(IocpEndpoint* endpoint, int32_t error);

  // -- accepting (windows_iocp_accepting.cc)
  void Accept(IocpEndpoint* endpoint);
  AcceptRequest* FreeAccept(IocpEndpoint* endpoint);
  bool AcceptOne(IocpEndpoint* endpoint, AcceptRequest* request);
  void TakeAccepted(IocpEndpoint* endpoint, AcceptRequest* request, int32_t error);
  void OnAccept(IocpEndpoint* endpoint, AcceptRequest* request, int32_t error);
  void TakeSurplus(IocpEndpoint* endpoint);

  // -- ending (windows_iocp_ending.cc)
  void BeginClose(IocpEndpoint* endpoint);
  void FinishCloseIfIdle(IocpEndpoint* endpoint);

  const HANDLE port_;
  uint64_t requests_ = 0;  // in the kernel
  bool awakened_ = false;
  uint32_t turn_ = 0;

  // Endpoints with something to receive.
  RunQueue run_;
  std::vector<IocpEndpoint*> had_turn_;
  InstantRead instant_read_;
};

}  // namespace sideport
