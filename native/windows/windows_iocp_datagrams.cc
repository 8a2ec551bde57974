// IocpPort's operations on datagram sockets.
//
//                   probe: a receive of no bytes that peeks; no buffer
//   receive-from ─────────────────────────────────────────────────────► packet: something is there
//        ▲                                                                   │
//        └── WSAEWOULDBLOCK: probe again ◄── receives that do not wait ◄─────┘
//                                            a buffer each, at most kDatagramsPerEndpoint in a turn
//
// A buffer belongs to its group, or to the selector; the kernel writes to one during a call only, never
// beyond. So an idle socket holds none, and cancelling and closing have no buffer to wait for. What comes
// between two receives lies in the socket's own buffer, as it would under any number of receives in flight.
//
// The probe peeks, because a receive of no bytes would take the datagram and lose it. Microsoft documents MSG_PEEK
// for sockets that are not overlapped; libuv waits for datagrams in this very way all the same, on every Windows. To
// Winsock it is truncated then: WSAEMSGSIZE, STATUS_BUFFER_OVERFLOW, a warning and no error, which as every success
// posts a packet where the handle does not skip. Datagram sockets do not: see MaySkip.
//
// A send is performed by calls that do not wait, in order, until one finds no room. That datagram is sent by
// a request, of which one is out: sends end at the first that fails, so none may overtake it. The kernel
// reads the send's pieces, and its destination, from the request's call to its packet; they belong to the
// operation, which the packet releases or goes on with.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "datagram.h"
#include "errors.h"
#include "windows/windows_datagram.h"
#include "windows/windows_errors.h"
#include "windows/windows_iocp.h"

namespace sideport {

// -- receiving ------------------------------------------------------------------------------------

void IocpPort::ProbeDatagrams(IocpEndpoint* endpoint) {
  Request* const request = &endpoint->probe;
  Prepare(endpoint, request, Opcode::kReceiveFrom);
  request->flags = MSG_PEEK;
  WSABUF nothing = {0, nullptr};
  const int returned = WSARecvFrom(ToSocket(endpoint->fd), &nothing, 1, nullptr, &request->flags,
                                   nullptr, nullptr, request, nullptr);
  const auto code = static_cast<DWORD>(returned == 0 ? 0 : WSAGetLastError());
  const bool succeeded = returned == 0 || code == WSAEMSGSIZE;
  if (Classify(request, succeeded, code) == Begun::kPending) return;
  OnDatagramProbe(endpoint, NodeErrnoOfCode(code));
}

// An error that a probe met is one of the next receive as well, or, should the kernel have told it but
// once, is told when that finds nothing.
void IocpPort::OnDatagramProbe(IocpEndpoint* endpoint, int32_t error) {
  if (error != NodeErrno(ECANCELED)) {
    endpoint->ready |= kReadable;
    endpoint->receive_error = RefusalOrError(error);
  }
  if (!endpoint->Has(Opcode::kReceiveFrom)) return;
  if (endpoint->IsUnwanted(Opcode::kReceiveFrom)) {
    Release(endpoint, Opcode::kReceiveFrom, NodeErrno(ECANCELED));
  } else {
    Arm(endpoint, Opcode::kReceiveFrom);
  }
}

void IocpPort::ReceiveSome(IocpEndpoint* endpoint) {
  const size_t left = static_cast<size_t>(endpoint->receive_left);
  const size_t limit = std::min({completions_.Room(), left, size_t{kDatagramsPerEndpoint}});
  for (size_t at = 0; at < limit; at++) {
    const Buffer buffer = buffers_.Take(endpoint->receive_group);
    // Something may be there still: the next receive finds out.
    if (buffer.memory == nullptr) {
      return Release(endpoint, Opcode::kReceiveFrom, NodeErrno(ENOBUFS));
    }
    int32_t length = 0;
    const int32_t result = ReceiveDatagrams(endpoint->fd, &buffer, 1, &length);
    if (result <= 0) {
      buffers_.GiveBack(endpoint->receive_group, buffer);
      return EndReceiving(endpoint, result);
    }
    endpoint->last_turn = turn_;
    CompleteDatagram(endpoint, buffer, length, --endpoint->receive_left > 0);
  }
  if (endpoint->Has(Opcode::kReceiveFrom)) run_.Push(endpoint);
}

// No datagram was received.
void IocpPort::EndReceiving(IocpEndpoint* endpoint, int32_t result) {
  const int32_t told_by_probe = std::exchange(endpoint->receive_error, 0);
  const bool drained = result == NodeErrno(EAGAIN);
  if (drained) endpoint->ready &= static_cast<uint8_t>(~kReadable);
  const int32_t error = drained ? told_by_probe : result;
  if (error != 0) {
    if (!ConcernsEarlierSend(error)) return Release(endpoint, Opcode::kReceiveFrom, error);
    endpoint->last_turn = turn_;
    CompleteEarlierError(endpoint, error);
  }
  Arm(endpoint, Opcode::kReceiveFrom);
}

// -- sending --------------------------------------------------------------------------------------

void IocpPort::BeginSendTo(IocpEndpoint* endpoint) {
  DatagramSend& send = *endpoint->send_to;
  for (size_t at = 0; at < static_cast<size_t>(send.count); at++) {
    KernelAddress* const destination = &send.datagrams[at].destination;
    if (destination->length > 0) LocalhostForAny(destination);
  }
  Arm(endpoint, Opcode::kSendTo);
}

void IocpPort::SendTo(IocpEndpoint* endpoint) {
  DatagramSend& send = *endpoint->send_to;
  while (!send.IsComplete()) {
    const int32_t result = SendDatagrams(endpoint->fd, send);
    if (result == NodeErrno(EAGAIN)) return AwaitRoom(endpoint);
    if (result <= 0) {
      return Release(endpoint, Opcode::kSendTo, send.sent > 0 ? send.sent : result);
    }
    send.sent += result;
  }
  Release(endpoint, Opcode::kSendTo, send.sent);
}

// Sends the datagram that found none by a request, which waits for it.
void IocpPort::AwaitRoom(IocpEndpoint* endpoint) {
  if (!endpoint->send_to_request) endpoint->send_to_request = std::make_unique<Request>();
  Request* const request = endpoint->send_to_request.get();
  Prepare(endpoint, request, Opcode::kSendTo);
  const DatagramSend& send = *endpoint->send_to;
  const auto& datagram = send.datagrams[static_cast<size_t>(send.sent)];
  const auto code = static_cast<DWORD>(SendOne(endpoint->fd, send, datagram, request));
  if (Classify(request, code == 0, code) == Begun::kPending) return;
  // Of a request WSAEWOULDBLOCK says that there are too many: nothing would tell when there are fewer.
  const int32_t error = code == WSAEWOULDBLOCK ? NodeErrno(ENOBUFS) : NodeErrnoOfCode(code);
  OnSendTo(endpoint, error);
}

void IocpPort::OnSendTo(IocpEndpoint* endpoint, int32_t error) {
  DatagramSend& send = *endpoint->send_to;
  if (error == 0) send.sent++;
  const bool unwanted = endpoint->IsUnwanted(Opcode::kSendTo);
  if (error == 0 && unwanted && !send.IsComplete()) error = NodeErrno(ECANCELED);
  if (error == 0) return SendTo(endpoint);
  Release(endpoint, Opcode::kSendTo, send.sent > 0 ? send.sent : error);
}

}  // namespace sideport
