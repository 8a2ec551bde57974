// UringPort's requests: how each operation is put to the kernel, and what the completions of all but
// receives mean.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "errors.h"
#include "socket.h"
#include "uring/linux_uring.h"

namespace sideport {
namespace {

// How often in a row a listener may be refused with EPERM, see ConcernsOneConnection.
constexpr int kRefusals = 16;

// A multishot accept has no place for each peer's address. getpeername refuses when the connection
// has been reset since; accept(2) would have told all the same, and so does SO_PEERNAME, which wants
// the address's exact length.
WireAddress AcceptedPeer(int fd) {
  WireAddress peer{};
  if (PeerAddress(fd, &peer) == 0) return peer;
  for (const size_t length : {sizeof(sockaddr_in6), sizeof(sockaddr_in)}) {
    KernelAddress address{};
    address.length = static_cast<socklen_t>(length);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &address.storage, &address.length) == 0) {
      return ToWire(address);
    }
  }
  return peer;
}

void DescribeSend(UringEndpoint* endpoint, io_uring_sqe* entry) {
  SendOperation* const send = endpoint->send.get();
  SendPiece* const pieces = &send->pieces[static_cast<size_t>(send->first)];
  const int count = send->count - send->first;
  if (count == 1) {
    entry->opcode = IORING_OP_SEND;
    entry->addr = reinterpret_cast<uint64_t>(pieces->iov_base);
    entry->len = static_cast<uint32_t>(pieces->iov_len);
  } else {
    if (!endpoint->message) endpoint->message = std::make_unique<msghdr>();
    endpoint->message->msg_iov = pieces;
    endpoint->message->msg_iovlen = static_cast<size_t>(count);
    entry->opcode = IORING_OP_SENDMSG;
    entry->addr = reinterpret_cast<uint64_t>(endpoint->message.get());
    entry->len = 1;
  }
  entry->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
  // Made anew it waits first: there was no room.
  if (send->begun) entry->ioprio = uring::kPollFirst;
  send->begun = true;
}

}  // namespace

// Puts an operation in flight to the kernel. Not yet, if the last request still ends (which arms
// anew), or if the socket connects: the kernel would fail it instead of waiting.
void UringPort::Arm(UringEndpoint* endpoint, Opcode opcode) {
  if (endpoint->Request(opcode) != request_name::kNone) return;
  if (opcode != Opcode::kConnect && endpoint->Has(Opcode::kConnect)) return;
  if (opcode == Opcode::kReceive && endpoint->HasReceived()) return;
  if (opcode == Opcode::kSend && endpoint->send->IsComplete()) {
    return Release(endpoint, opcode, endpoint->send->total);
  }
  if (opcode == Opcode::kSendTo) return SendToNow(endpoint);
  if (opcode == Opcode::kConnect && !PrepareConnect(endpoint)) {
    Release(endpoint, opcode, NodeErrno(EINVAL));
    return ArmHeld(endpoint);
  }
  io_uring_sqe* const entry = queue_->NextEntry();
  if (entry == nullptr) return postponed_.push_back({endpoint, opcode, false});
  Describe(endpoint, opcode, entry);
  entry->fd = endpoint->fd;
  entry->user_data = NameRequest(endpoint, opcode);
  if (opcode == Opcode::kReceive && endpoint->receive_left > 1) WatchHangUp(endpoint);
}

uint64_t UringPort::NameRequest(UringEndpoint* endpoint, Opcode opcode) {
  requests_++;
  if (next_serial_ == 0) next_serial_++;
  return endpoint->Begin(opcode, next_serial_++);
}

// False when the address is none. The kernel may read it until the request ends.
bool UringPort::PrepareConnect(UringEndpoint* endpoint) {
  endpoint->connect_address = std::make_unique<KernelAddress>();
  return ToKernel(*endpoint->remote, endpoint->connect_address.get());
}

void UringPort::Describe(UringEndpoint* endpoint, Opcode opcode, io_uring_sqe* entry) {
  switch (opcode) {
    case Opcode::kAccept:
      entry->opcode = IORING_OP_ACCEPT;
      entry->accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
      // One is a number that the kernel can count to.
      if (endpoint->accept_left > 1) entry->ioprio = uring::kAcceptMultishot;
      return;
    case Opcode::kConnect:
      entry->opcode = IORING_OP_CONNECT;
      entry->addr = reinterpret_cast<uint64_t>(endpoint->connect_address->get());
      entry->off = endpoint->connect_address->length;
      return;
    case Opcode::kReceive:
      endpoint->group = rings_.BeginReceive(endpoint->receive_group);
      // Without a ring the kernel says when, and we receive.
      if (endpoint->group->refused) return DescribePoll(POLLIN, entry);
      entry->opcode = IORING_OP_RECV;
      entry->flags = IOSQE_BUFFER_SELECT;
      entry->buf_group = endpoint->group->id;
      entry->ioprio = uring::kPollFirst;
      if (endpoint->receive_left > 1 && !endpoint->hung_up) {
        entry->ioprio |= uring::kReceiveMultishot;
      }
      return;
    case Opcode::kReceiveFrom:
      return DescribeReceiveFrom(endpoint, entry);
    default:
      return DescribeSend(endpoint, entry);
  }
}

// Held back while the socket connected.
void UringPort::ArmHeld(UringEndpoint* endpoint) {
  for (Opcode opcode : kRequestOpcodes) {
    if (endpoint->Has(opcode)) Arm(endpoint, opcode);
  }
}

// -- accepting ------------------------------------------------------------------------------------

void UringPort::TakeSurplus(UringEndpoint* endpoint) {
  if (!endpoint->accepting) return;
  std::deque<int>& surplus = endpoint->accepting->surplus;
  while (!surplus.empty() && endpoint->Has(Opcode::kAccept)) {
    const int fd = surplus.front();
    surplus.pop_front();
    CompleteAccept(endpoint, fd, AcceptedPeer(fd));
  }
}

void UringPort::OnAccept(UringEndpoint* endpoint, int32_t result, bool more) {
  const bool wanted = !endpoint->IsUnwanted(Opcode::kAccept);
  if (!endpoint->accepting) endpoint->accepting = std::make_unique<Accepting>();
  Accepting& accepting = *endpoint->accepting;
  if (result >= 0) {
    accepting.refusals = 0;
    if (endpoint->Has(Opcode::kAccept)) {
      CompleteAccept(endpoint, result, AcceptedPeer(result));
    } else {
      accepting.surplus.push_back(result);
    }
    if (!endpoint->Has(Opcode::kAccept)) CancelRequest(endpoint, Opcode::kAccept);
  }
  if (more || !endpoint->Has(Opcode::kAccept)) return;
  const int32_t error = result < 0 ? NodeErrno(-result) : 0;
  if (!wanted) return Release(endpoint, Opcode::kAccept, NodeErrno(ECANCELED));
  // Cancelled, but not wanted to be: that was the last accept, at its limit, and this is the next.
  const bool goes_on = error == 0 || error == NodeErrno(ECANCELED) || IsInconclusive(result) ||
                       (ConcernsOneConnection(error) &&
                        (error != NodeErrno(EPERM) || ++accepting.refusals < kRefusals));
  if (goes_on) return Arm(endpoint, Opcode::kAccept);
  accepting.refusals = 0;
  Release(endpoint, Opcode::kAccept, error);
}

// -- connecting and sending -----------------------------------------------------------------------

void UringPort::OnConnect(UringEndpoint* endpoint, int32_t result) {
  int32_t error = result < 0 ? NodeErrno(-result) : 0;
  // A cancellation that meets the request at work interrupts it.
  if (error == NodeErrno(EINTR)) error = NodeErrno(ECANCELED);
  endpoint->connect_address.reset();
  // A socket that is not connected yet is reported as hung up.
  endpoint->hung_up = false;
  Release(endpoint, Opcode::kConnect, error);
  ArmHeld(endpoint);
}

// The kernel goes on by itself when its buffer was full (MSG_WAITALL), unless memory was short, a
// signal came, or the cancellation did.
void UringPort::OnSend(UringEndpoint* endpoint, int32_t result) {
  SendOperation& send = *endpoint->send;
  if (result > 0) send.Advance(result);
  if (result >= 0 && send.IsComplete()) return Release(endpoint, Opcode::kSend, send.total);
  const bool interrupted = result >= 0 || IsInconclusive(result) || result == -ECANCELED;
  if (interrupted && endpoint->IsUnwanted(Opcode::kSend)) {
    return Release(endpoint, Opcode::kSend, NodeErrno(ECANCELED));
  }
  if (result > 0 || IsInconclusive(result)) return Arm(endpoint, Opcode::kSend);
  Release(endpoint, Opcode::kSend, result < 0 ? NodeErrno(-result) : NodeErrno(EPIPE));
}

}  // namespace sideport
