#include "windows/windows_iocp.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "errors.h"
#include "socket.h"
#include "windows/windows_errors.h"

namespace sideport {
namespace {

constexpr ULONG kPacketsPerWait = 256;
constexpr ULONG_PTR kSocketKey = 0;

// Whether an instant success may go without a packet. Not where the socket's provider is none that
// hands out real kernel handles (a layered one): Microsoft documents that the mode must not be used
// there ("SetFileCompletionNotificationModes", remarks). Nor on a datagram socket, where Windows 7 and
// earlier break it, and where a truncated datagram is a failure of the call but a success to the kernel:
// without the mode such a call has a packet for certain.
bool MaySkip(const WSAPROTOCOL_INFOW& provider) {
  return provider.iSocketType == SOCK_STREAM && (provider.dwServiceFlags1 & XP1_IFS_HANDLES) != 0;
}

}  // namespace

IocpPort::IocpPort(std::shared_ptr<PortAwakener> awakener)
    : PortBase(awakener), port_(awakener->port()) {
  StartWinsock();
}

// -- turning --------------------------------------------------------------------------------------

size_t IocpPort::Turn(const SubmissionRecord* submissions, size_t submission_count,
                      CompletionRecord* completions, size_t capacity, int32_t timeout_ms) {
  turn_++;
  CompletionRecord wake;
  const bool woken = awakener_->IsRaised() && TakeWake(&wake);
  completions_.Begin(completions, capacity, woken ? &wake : nullptr);
  Submit(submissions, submission_count);
  Wait(timeout_ms);
  return completions_.End();
}

// Packets are asked for also when there is no room: one may say that a further endpoint has something
// to receive, and it must have its turn. They are at most as many as there are requests.
void IocpPort::Wait(int32_t timeout_ms) {
  using Clock = std::chrono::steady_clock;
  if (timeout_ms < 0 || timeout_ms > kMaximumWaitMs) timeout_ms = kMaximumWaitMs;
  const auto until = Clock::now() + std::chrono::milliseconds(timeout_ms);
  RunReceives();
  for (;;) {
    const bool idle = completions_.IsEmpty() && run_.IsEmpty();
    // Returns early also with packets that concern us alone: a probe's, a late wake's.
    Dequeue(idle ? static_cast<DWORD>(timeout_ms) : 0);
    // The wake is to come first, so with something before it, it is left for the next turn, whose
    // start finds it.
    CompletionRecord wake;
    if (awakened_ && completions_.IsEmpty() && TakeWake(&wake)) completions_.Push(wake);
    awakened_ = false;
    RunReceives();
    // Whoever had a turn has another one only after everybody else had theirs.
    for (IocpEndpoint* endpoint : had_turn_) run_.Push(endpoint);
    had_turn_.clear();
    if (!completions_.IsEmpty()) return;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    timeout_ms = static_cast<int32_t>(std::max<int64_t>(0, left.count()));
    if (timeout_ms == 0 && run_.IsEmpty()) return;
  }
}

// Whether there were packets.
bool IocpPort::Dequeue(DWORD timeout_ms) {
  OVERLAPPED_ENTRY packets[kPacketsPerWait];
  ULONG count = 0;
  if (!GetQueuedCompletionStatusEx(port_, packets, kPacketsPerWait, &count, timeout_ms, FALSE)) {
    return false;
  }
  for (ULONG at = 0; at < count; at++) {
    if (packets[at].lpCompletionKey == PortAwakener::kKey) {
      awakened_ = true;
    } else {
      OnPacket(packets[at]);
    }
  }
  return count > 0;
}

// Not GetOverlappedResult, which wants the handle: it may be closed by now, and another socket's. The
// status in the OVERLAPPED is all that it would look at.
void IocpPort::OnPacket(const OVERLAPPED_ENTRY& packet) {
  auto* const request = static_cast<Request*>(packet.lpOverlapped);
  IocpEndpoint* const endpoint = request->endpoint;
  request->in_kernel = false;
  endpoint->requests--;
  requests_--;
  const int32_t error = NodeErrnoOfStatus(static_cast<long>(request->Internal));
  switch (request->opcode) {
    case Opcode::kAccept:
      OnAccept(endpoint, static_cast<AcceptRequest*>(request), error);
      break;
    case Opcode::kConnect:
      OnConnect(endpoint, error);
      break;
    case Opcode::kSend:
      OnSend(endpoint, error, packet.dwNumberOfBytesTransferred);
      break;
    case Opcode::kReceiveFrom:
      OnDatagramProbe(endpoint, error);
      break;
    case Opcode::kSendTo:
      OnSendTo(endpoint, error);
      break;
    default:
      OnProbe(endpoint, error);
  }
  FinishCloseIfIdle(endpoint);
}

void IocpPort::RunReceives() {
  // Only those queued now: whoever still has something to receive goes to the tail.
  for (size_t steps = run_.size(); steps > 0 && completions_.HasRoom(); steps--) {
    auto* const endpoint = static_cast<IocpEndpoint*>(run_.Pop());
    const bool of_stream = endpoint->Has(Opcode::kReceive);
    const bool wanted = of_stream || endpoint->Has(Opcode::kReceiveFrom);
    if (!wanted || !endpoint->IsReadable()) continue;
    if (endpoint->last_turn == turn_) {
      had_turn_.push_back(endpoint);
    } else if (of_stream) {
      ReceiveOnce(endpoint);
    } else {
      ReceiveSome(endpoint);
    }
  }
}

// -- what the base asks for -----------------------------------------------------------------------

std::unique_ptr<Endpoint> IocpPort::NewEndpoint() { return std::make_unique<IocpEndpoint>(); }

int32_t IocpPort::Watch(Endpoint* base) {
  auto* const endpoint = static_cast<IocpEndpoint*>(base);
  WSAPROTOCOL_INFOW provider;
  socklen_t size = sizeof(provider);
  const int asked = getsockopt(ToSocket(endpoint->fd), SOL_SOCKET, SO_PROTOCOL_INFOW,
                               reinterpret_cast<char*>(&provider), &size);
  if (asked != 0) {
    const int error = WSAGetLastError();
    return error == WSAENOTSOCK ? WatchHandle(endpoint)
                                : NodeErrnoOfCode(static_cast<DWORD>(error));
  }
  endpoint->family = provider.iAddressFamily;
  endpoint->datagrams = provider.iSocketType == SOCK_DGRAM;
  const HANDLE handle = ToHandle(endpoint->fd);
  if (CreateIoCompletionPort(handle, port_, kSocketKey, 0) == nullptr) return LastNodeErrno();
  endpoint->skips = MaySkip(provider) && SetFileCompletionNotificationModes(
                                             handle, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS |
                                                         FILE_SKIP_SET_EVENT_ON_HANDLE) != 0;
  return 0;
}

void IocpPort::Begin(Endpoint* base, Opcode opcode) {
  auto* const endpoint = static_cast<IocpEndpoint*>(base);
  if (opcode == Opcode::kClose) return BeginClose(endpoint);
  endpoint->unwanted &= static_cast<uint8_t>(~Endpoint::Bit(opcode));
  if (opcode == Opcode::kSendTo) return BeginSendTo(endpoint);
  Arm(endpoint, opcode);
}

// Reading is not shut down by Windows, which would reset the connection should the peer send on; other
// systems take what it sends and nobody reads it. So it is the receives that end.
void IocpPort::Shut(Endpoint* base, int32_t how) {
  auto* const endpoint = static_cast<IocpEndpoint*>(base);
  if (how == 3 && endpoint->kind == HandleKind::kPipe) DisconnectNamedPipe(ToHandle(endpoint->fd));
  if (endpoint->datagrams) return ShutdownSocket(endpoint->fd, how);
  if (how == 1 || how == 2) ShutdownSocket(endpoint->fd, 1);
  if (how != 0 && how != 2) return;
  endpoint->read_shut = true;
  if (endpoint->IsInKernel(Opcode::kReceive)) {
    CancelIoEx(ToHandle(endpoint->fd), endpoint->ReceiveRequest());
  } else if (endpoint->Has(Opcode::kReceive)) {
    run_.Push(endpoint);
  }
}

}  // namespace sideport
