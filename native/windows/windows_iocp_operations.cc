// IocpPort's requests: how each operation is put to the kernel, and what its packet means. Accepts are in
// windows_iocp_accepting.cc, datagrams in windows_iocp_datagrams.cc.

#include <cerrno>
#include <cstring>

#include "errors.h"
#include "socket.h"
#include "windows/windows_errors.h"
#include "windows/windows_iocp.h"

namespace sideport {
namespace {

// Windows tries a refused connection twice more, half a second apart, which makes no sense when it is the
// machine itself that refuses.
void DoNotRetryOnLoopback(int fd, const KernelAddress& remote) {
  const auto* const v4 = reinterpret_cast<const sockaddr_in*>(&remote.storage);
  const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(&remote.storage);
  const bool is_loopback = remote.storage.ss_family == AF_INET
                               ? (ntohl(v4->sin_addr.s_addr) >> 24) == 127
                               : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) != 0;
  if (!is_loopback) return;
  TCP_INITIAL_RTO_PARAMETERS parameters{};
  parameters.Rtt = TCP_INITIAL_RTO_DEFAULT_RTT;
  parameters.MaxSynRetransmissions = TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS;
  DWORD size = 0;
  WSAIoctl(ToSocket(fd), SIO_TCP_INITIAL_RTO, &parameters, sizeof(parameters), nullptr, 0, &size,
           nullptr, nullptr);
}

// ConnectEx wants a bound socket (WSAEINVAL otherwise). One that is bound already says so.
bool EnsureBound(int fd, int family) {
  KernelAddress any{};
  any.storage.ss_family = static_cast<decltype(any.storage.ss_family)>(family);
  any.length = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return bind(ToSocket(fd), any.get(), any.length) == 0 || WSAGetLastError() == WSAEINVAL;
}

// Windows tells a reset to the receive that meets it. Wine takes one that comes while no request is out from the
// kernel, after which a receive reads an end: it keeps the error for whoever asks, of a reset only that a poll finds one.
int32_t ErrorBehindEnd(int fd) {
  DWORD error = 0;
  socklen_t size = sizeof(error);
  const int asked =
      getsockopt(ToSocket(fd), SOL_SOCKET, SO_ERROR, reinterpret_cast<char*>(&error), &size);
  if (asked == 0 && error != 0) return NodeErrnoOfCode(error);
  WSAPOLLFD poll = {ToSocket(fd), POLLRDNORM, 0};
  const bool failed = WSAPoll(&poll, 1, 0) == 1 && (poll.revents & POLLERR) != 0;
  return failed ? NodeErrnoOfCode(WSAECONNRESET) : 0;
}

}  // namespace

void IocpPort::Prepare(IocpEndpoint* endpoint, Request* request, Opcode opcode) {
  std::memset(static_cast<OVERLAPPED*>(request), 0, sizeof(OVERLAPPED));
  request->endpoint = endpoint;
  request->opcode = opcode;
  request->flags = 0;
}

// Whether a packet will come is the question on which the request's lifetime hangs. One comes for what is
// pending, and for an instant success unless the handle skips. None comes for what failed at once.
IocpPort::Begun IocpPort::Classify(Request* request, bool succeeded, DWORD error) {
  if (succeeded && request->endpoint->skips) return Begun::kDone;
  if (!succeeded && error != ERROR_IO_PENDING) return Begun::kFailed;
  request->in_kernel = true;
  request->endpoint->requests++;
  requests_++;
  return Begun::kPending;
}

// Puts an operation in flight to the kernel. Not yet, if the socket connects: the kernel would fail it
// instead of waiting. Not again, if it is there already.
void IocpPort::Arm(IocpEndpoint* endpoint, Opcode opcode) {
  if (opcode != Opcode::kConnect && endpoint->Has(Opcode::kConnect)) return;
  if (opcode != Opcode::kAccept && endpoint->IsInKernel(opcode)) return;
  if (endpoint->kind != HandleKind::kSocket) return ArmHandle(endpoint, opcode);
  switch (opcode) {
    case Opcode::kAccept:
      return Accept(endpoint);
    case Opcode::kConnect:
      return Connect(endpoint);
    case Opcode::kSend:
      return Send(endpoint);
    case Opcode::kSendTo:
      return SendTo(endpoint);
    default:
      if (endpoint->IsReadable()) return run_.Push(endpoint);
      return opcode == Opcode::kReceiveFrom ? ProbeDatagrams(endpoint) : Probe(endpoint);
  }
}

// Held back while the socket connected.
void IocpPort::ArmHeld(IocpEndpoint* endpoint) {
  for (Opcode opcode :
       {Opcode::kAccept, Opcode::kReceive, Opcode::kSend, Opcode::kReceiveFrom, Opcode::kSendTo}) {
    if (endpoint->Has(opcode)) Arm(endpoint, opcode);
  }
}

// -- connecting -----------------------------------------------------------------------------------

void IocpPort::Connect(IocpEndpoint* endpoint) {
  KernelAddress remote;
  int32_t error = 0;
  if (!ToKernel(*endpoint->remote, &remote)) {
    error = NodeErrno(EINVAL);
  } else if (remote.storage.ss_family != endpoint->family) {
    error = NodeErrno(EAFNOSUPPORT);
  } else if (!EnsureBound(endpoint->fd, endpoint->family)) {
    error = LastNodeErrno();
  }
  if (error != 0) return OnConnect(endpoint, error);
  LocalhostForAny(&remote);
  DoNotRetryOnLoopback(endpoint->fd, remote);
  if (!endpoint->connect_request) endpoint->connect_request = std::make_unique<Request>();
  Request* const request = endpoint->connect_request.get();
  Prepare(endpoint, request, Opcode::kConnect);
  const bool succeeded =
      WinsockExtensions::Get().connect_ex(ToSocket(endpoint->fd), remote.get(), remote.length,
                                          nullptr, 0, nullptr, request) != 0;
  const auto code = static_cast<DWORD>(succeeded ? 0 : WSAGetLastError());
  if (Classify(request, succeeded, code) == Begun::kPending) return;
  OnConnect(endpoint, NodeErrnoOfCode(code));
}

void IocpPort::OnConnect(IocpEndpoint* endpoint, int32_t error) {
  // Without it shutdown and getpeername fail with WSAENOTCONN on Windows; Wine does not mind.
  if (error == 0 && endpoint->fd >= 0 && endpoint->kind == HandleKind::kSocket) {
    setsockopt(ToSocket(endpoint->fd), SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, nullptr, 0);
  }
  Release(endpoint, Opcode::kConnect, error);
  if (!endpoint->Has(Opcode::kClose)) ArmHeld(endpoint);
}

// -- sending --------------------------------------------------------------------------------------

void IocpPort::Send(IocpEndpoint* endpoint) {
  SendOperation& send = *endpoint->send;
  if (send.IsComplete()) return Release(endpoint, Opcode::kSend, send.total);
  Request* const request = &endpoint->send_request;
  Prepare(endpoint, request, Opcode::kSend);
  const int returned =
      WSASend(ToSocket(endpoint->fd), &send.pieces[static_cast<size_t>(send.first)],
              static_cast<DWORD>(send.count - send.first), nullptr, 0, request, nullptr);
  const auto code = static_cast<DWORD>(returned == 0 ? 0 : WSAGetLastError());
  if (Classify(request, returned == 0, code) == Begun::kPending) return;
  OnSend(endpoint, NodeErrnoOfCode(code), static_cast<DWORD>(request->InternalHigh));
}

// Windows completes a stream's send with all its bytes or fails it; the rest of a partial one is sent all
// the same.
void IocpPort::OnSend(IocpEndpoint* endpoint, int32_t error, DWORD bytes) {
  // A pipe whose other end was closed says so in the words of a read.
  if (error == NodeErrnoOfCode(ERROR_BROKEN_PIPE)) error = NodeErrno(EPIPE);
  if (error != 0) return Release(endpoint, Opcode::kSend, error);
  if (endpoint->foreign) endpoint->foreign->write_at += bytes;
  SendOperation& send = *endpoint->send;
  send.Advance(static_cast<int32_t>(bytes));
  if (send.IsComplete()) return Release(endpoint, Opcode::kSend, send.total);
  if (endpoint->IsUnwanted(Opcode::kSend)) {
    return Release(endpoint, Opcode::kSend, NodeErrno(ECANCELED));
  }
  if (endpoint->kind == HandleKind::kSocket) return Send(endpoint);
  SendToHandle(endpoint);
}

// -- receiving ------------------------------------------------------------------------------------

void IocpPort::Probe(IocpEndpoint* endpoint) {
  Request* const request = &endpoint->probe;
  Prepare(endpoint, request, Opcode::kReceive);
  WSABUF nothing = {0, nullptr};
  const int returned =
      WSARecv(ToSocket(endpoint->fd), &nothing, 1, nullptr, &request->flags, request, nullptr);
  const auto code = static_cast<DWORD>(returned == 0 ? 0 : WSAGetLastError());
  if (Classify(request, returned == 0, code) == Begun::kPending) return;
  OnProbe(endpoint, NodeErrnoOfCode(code));
}

void IocpPort::OnProbe(IocpEndpoint* endpoint, int32_t error) {
  const bool aborted = error == NodeErrno(ECANCELED);
  if (error == 0) endpoint->ready |= kReadable;
  if (error == 0 && endpoint->foreign) endpoint->foreign->Filled();
  if (error != 0 && !aborted) {
    // Remembered: a receive after it may find a mere end (Wine), and what came before it is told first.
    endpoint->receive_error = error;
    endpoint->ready |= kReadable | kExhaustive;
  }
  if (!endpoint->Has(Opcode::kReceive)) return;
  if (endpoint->IsUnwanted(Opcode::kReceive)) {
    Release(endpoint, Opcode::kReceive, NodeErrno(ECANCELED));
  } else {
    Arm(endpoint, Opcode::kReceive);
  }
}

void IocpPort::ReceiveOnce(IocpEndpoint* endpoint) {
  static_assert(kReceivesPerEndpoint == 1, "a step makes one receive");
  if (endpoint->read_shut) return Release(endpoint, Opcode::kReceive, 0);
  if (endpoint->foreign) return ReceiveFromForeign(endpoint);
  if (endpoint->kind != HandleKind::kSocket) return ReceiveFromPipe(endpoint);
  const Buffer buffer = buffers_.Take(endpoint->receive_group);
  // There still is something to receive: the next receive finds it.
  if (buffer.memory == nullptr) return Release(endpoint, Opcode::kReceive, NodeErrno(ENOBUFS));
  const int32_t result = sideport::Receive(endpoint->fd, buffer.memory, buffer.size);
  if (result <= 0) {
    buffers_.GiveBack(endpoint->receive_group, buffer);
    return EndReceive(endpoint, result);
  }
  endpoint->last_turn = turn_;
  // A stream that gives less than asked for is drained. Not so once its end was told: no probe would
  // tell it again.
  const bool drained = static_cast<size_t>(result) < buffer.size;
  if (drained && (endpoint->ready & kExhaustive) == 0) {
    endpoint->ready &= static_cast<uint8_t>(~kReadable);
  }
  CompletionRecord record{};
  record.result = result;
  record.flags = --endpoint->receive_left > 0 ? kMore : 0;
  record.segment = buffer.segment;
  record.index = buffer.index;
  Complete(endpoint, Opcode::kReceive, record);
  if (endpoint->Has(Opcode::kReceive)) Arm(endpoint, Opcode::kReceive);
}

// Nothing was received.
void IocpPort::EndReceive(IocpEndpoint* endpoint, int32_t result) {
  if (endpoint->receive_error != 0) result = endpoint->receive_error;
  if (result == 0) result = ErrorBehindEnd(endpoint->fd);
  if (result != NodeErrno(EAGAIN)) return Release(endpoint, Opcode::kReceive, result);
  endpoint->ready &= static_cast<uint8_t>(~kReadable);
  Probe(endpoint);
}

}  // namespace sideport
