// ReadinessPort's steps: each performs one operation of one endpoint as far as it goes now.

#include <cerrno>

#include "errors.h"
#include "readiness_port.h"
#include "socket.h"

namespace sideport {
namespace {

// Connections taken from one listener before others have their turn, failed ones included.
constexpr int kAcceptsPerStep = 16;

// accept(2): Linux passes pending network errors of the new connection on as errors of accept; the
// next connection may be sound. EPERM is a firewall's refusal of one connection. Anything else ends
// accepting: an error that stays would otherwise be met for ever.
bool ConcernsOneConnection(int32_t error) {
  static constexpr int kErrors[] = {
      ECONNABORTED, EPROTO,    EPERM,        ENETDOWN,    ENOPROTOOPT,
      EHOSTDOWN,    ETIMEDOUT, EHOSTUNREACH, ENETUNREACH,
#ifdef ENONET
      ENONET,
#endif
  };
  for (int one : kErrors) {
    if (error == NodeErrno(one)) return true;
  }
  return false;
}

bool WouldBlock(int32_t result) { return result == NodeErrno(EAGAIN); }

void Clear(Endpoint* endpoint, ReadinessBits bit) { endpoint->ready &= static_cast<uint8_t>(~bit); }

}  // namespace

int32_t ReadinessPort::Accept(int fd, WireAddress* peer) { return AcceptConnection(fd, peer); }

void ReadinessPort::Step(Endpoint* endpoint) {
  if (endpoint->Has(Opcode::kClose)) return StepClose(endpoint);
  if (endpoint->Has(Opcode::kConnect)) StepConnect(endpoint);
  // Nobody reads or writes before the connection is there.
  if (endpoint->Has(Opcode::kConnect)) return;
  const bool readable = (endpoint->ready & kReadable) != 0;
  const bool writable = (endpoint->ready & kWritable) != 0;
  if (endpoint->Has(Opcode::kAccept) && readable) StepAccept(endpoint);
  if (endpoint->Has(Opcode::kSend) && writable && completions_.HasRoom()) StepSend(endpoint);
  if (endpoint->Has(Opcode::kReceive) && readable && completions_.HasRoom()) StepReceive(endpoint);
}

void ReadinessPort::StepConnect(Endpoint* endpoint) {
  int32_t result;
  if (!endpoint->connect_begun) {
    if (!completions_.HasRoom()) return;
    // An unconnected socket is reported as writable and hung up; both are void from here on. The
    // bits must go before the call: after it an end of the connection may be reported at any wait.
    endpoint->ready = 0;
    endpoint->connect_begun = true;
    result = StartConnect(endpoint->fd, endpoint->remote);
    if (result == NodeErrno(EINPROGRESS)) return;
    // Settled at once, perhaps without an edge: later operations find out by trying.
    endpoint->ready |= kReadable | kWritable;
  } else {
    if ((endpoint->ready & kWritable) == 0) return;
    result = ConnectResult(endpoint->fd);
    WireAddress peer;
    if (result == 0 && PeerAddress(endpoint->fd, &peer) == NodeErrno(ENOTCONN)) {
      // No error and no peer: a readiness from before the call, unless the socket was shut down.
      const bool hung_up = (endpoint->ready & kExhaustive) != 0;
      if (!hung_up) return Clear(endpoint, kWritable);
      result = NodeErrno(ENOTCONN);
    }
  }
  Release(endpoint, Opcode::kConnect, result);
}

void ReadinessPort::StepAccept(Endpoint* endpoint) {
  bool any = false;
  int32_t result = 0;
  for (int attempt = 0; attempt < kAcceptsPerStep && completions_.HasRoom(); attempt++) {
    CompletionRecord record{};
    result = Accept(endpoint->fd, &record.address);
    if (WouldBlock(result)) return Clear(endpoint, kReadable);
    if (result < 0 && ConcernsOneConnection(result)) continue;
    if (result < 0) return Release(endpoint, Opcode::kAccept, result);
    any = true;
    unadopted_.insert(result);
    record.result = result;
    record.flags = --endpoint->accept_left > 0 ? kMore : 0;
    Complete(endpoint, Opcode::kAccept, record);
    if (record.flags == 0) return;
  }
  // A security module or a seccomp filter also says EPERM, takes nothing from the backlog, and says
  // so again and again.
  if (!any && result == NodeErrno(EPERM)) Release(endpoint, Opcode::kAccept, result);
}

void ReadinessPort::StepReceive(Endpoint* endpoint) {
  static_assert(kReceivesPerEndpoint == 1, "a step makes one receive");
  const Buffer buffer = buffers_.Take(endpoint->receive_group);
  // The descriptor stays as ready as it was: the next receive finds what is there.
  if (buffer.memory == nullptr) return Release(endpoint, Opcode::kReceive, NodeErrno(ENOBUFS));
  const int32_t result = Receive(endpoint->fd, buffer.memory, buffer.size);
  if (result <= 0) {
    buffers_.GiveBack(endpoint->receive_group, buffer);
    if (WouldBlock(result)) return Clear(endpoint, kReadable);
    return Release(endpoint, Opcode::kReceive, result);
  }
  // epoll(7): a stream that gives less than asked for is drained, and the next byte makes a new
  // edge. Not so once its end was reported: that edge is behind us.
  const bool drained = static_cast<size_t>(result) < buffer.size;
  if (drained && (endpoint->ready & kExhaustive) == 0) Clear(endpoint, kReadable);
  CompletionRecord record{};
  record.result = result;
  record.flags = --endpoint->receive_left > 0 ? kMore : 0;
  record.segment = buffer.segment;
  record.index = buffer.index;
  Complete(endpoint, Opcode::kReceive, record);
}

void ReadinessPort::StepSend(Endpoint* endpoint) {
  SendOperation& send = *endpoint->send;
  if (send.total > 0) {
    const int32_t result = SendVector(endpoint->fd, &send.pieces[static_cast<size_t>(send.first)],
                                      static_cast<size_t>(send.count - send.first));
    if (WouldBlock(result)) return Clear(endpoint, kWritable);
    if (result < 0) return Release(endpoint, Opcode::kSend, result);
    send.sent += result;
    auto left = static_cast<size_t>(result);
    for (; send.first < send.count; send.first++) {
      iovec& piece = send.pieces[static_cast<size_t>(send.first)];
      if (left < piece.iov_len) {
        piece.iov_base = static_cast<uint8_t*>(piece.iov_base) + left;
        piece.iov_len -= left;
        break;
      }
      left -= piece.iov_len;
    }
  }
  // Partly taken: the kernel's buffer is full. The next step meets EAGAIN, which is what obliges an
  // edge-triggered kernel to report room again, and parks.
  if (send.sent == send.total) Release(endpoint, Opcode::kSend, send.total);
}

void ReadinessPort::StepClose(Endpoint* endpoint) {
  ReleaseAll(endpoint, NodeErrno(ECANCELED));
  if (endpoint->fd >= 0) {
    if (endpoint->watch_error == 0) Unwatch(endpoint);
    CloseSocket(endpoint->fd, endpoint->close_mode);
  }
  // Freed before the release is told: its number may be used again from then on.
  endpoint->fd = -1;
  endpoint->adopted = false;
  endpoint->watch_error = 0;
  endpoint->ready = endpoint->wanted = 0;
  Release(endpoint, Opcode::kClose, 0);
}

void ReadinessPort::Complete(Endpoint* endpoint, Opcode opcode, CompletionRecord record) {
  record.opcode = static_cast<int32_t>(opcode);
  record.endpoint = endpoint->number;
  if (opcode != Opcode::kReceive || record.result <= 0) record.segment = record.index = -1;
  if ((record.flags & kMore) == 0) {
    endpoint->in_flight &= static_cast<uint8_t>(~Endpoint::Bit(opcode));
    if (opcode == Opcode::kSend) DropSend(endpoint);
    released_++;
  }
  completions_.Push(record);
}

void ReadinessPort::Release(Endpoint* endpoint, Opcode opcode, int32_t result) {
  CompletionRecord record{};
  record.result = result;
  Complete(endpoint, opcode, record);
}

// All but the close itself.
void ReadinessPort::ReleaseAll(Endpoint* endpoint, int32_t result) {
  for (Opcode opcode : {Opcode::kAccept, Opcode::kConnect, Opcode::kReceive, Opcode::kSend}) {
    if (endpoint->Has(opcode)) Release(endpoint, opcode, result);
  }
}

void ReadinessPort::DropSend(Endpoint* endpoint) {
  if (!endpoint->send) return;
  const SendOperation& send = *endpoint->send;
  for (int at = 0; at < send.count; at++) {
    buffers_.CountSend(send.segments[static_cast<size_t>(at)], -1);
  }
  spare_sends_.push_back(std::move(endpoint->send));
}

}  // namespace sideport
