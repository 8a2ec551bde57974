// ReadinessPort's steps: each performs one operation of one endpoint as far as it goes now.

#include <cerrno>

#include "errors.h"
#include "readiness/readiness_port.h"
#include "socket.h"

namespace sideport {
namespace {

// Connections taken from one listener before others have their turn, failed ones included.
constexpr int kAcceptsPerStep = 16;

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
  if (endpoint->Has(Opcode::kSendTo) && writable && completions_.HasRoom()) StepSendTo(endpoint);
  if (endpoint->Has(Opcode::kReceiveFrom) && readable) StepReceiveFrom(endpoint);
}

void ReadinessPort::StepConnect(Endpoint* endpoint) {
  int32_t result;
  if (!endpoint->connect_begun) {
    if (!completions_.HasRoom()) return;
    // An unconnected socket is reported as writable and hung up; both are void from here on. The
    // bits must go before the call: after it an end of the connection may be reported at any wait.
    endpoint->ready = 0;
    endpoint->connect_begun = true;
    result = StartConnect(endpoint->fd, *endpoint->remote);
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
    WireAddress peer;
    result = Accept(endpoint->fd, &peer);
    if (WouldBlock(result)) return Clear(endpoint, kReadable);
    if (result < 0 && ConcernsOneConnection(result)) continue;
    if (result < 0) return Release(endpoint, Opcode::kAccept, result);
    any = true;
    CompleteAccept(endpoint, result, peer);
    if (!endpoint->Has(Opcode::kAccept)) return;
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
    send.Advance(result);
  }
  // Partly taken: the kernel's buffer is full. The next step meets EAGAIN, which is what obliges an
  // edge-triggered kernel to report room again, and parks.
  if (send.IsComplete()) Release(endpoint, Opcode::kSend, send.total);
}

void ReadinessPort::StepClose(Endpoint* endpoint) {
  ReleaseAll(endpoint, NodeErrno(ECANCELED));
  if (endpoint->fd >= 0 && endpoint->watch_error == 0) Unwatch(endpoint);
  endpoint->ready = kWritable;
  endpoint->wanted = 0;
  FinishClose(endpoint);
}

// All but the close itself.
void ReadinessPort::ReleaseAll(Endpoint* endpoint, int32_t result) {
  for (Opcode opcode : {Opcode::kAccept, Opcode::kConnect, Opcode::kReceive, Opcode::kSend,
                        Opcode::kReceiveFrom, Opcode::kSendTo}) {
    if (endpoint->Has(opcode)) Release(endpoint, opcode, result);
  }
}

}  // namespace sideport
