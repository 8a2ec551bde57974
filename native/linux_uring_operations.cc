// UringPort's requests: how each operation is put to the kernel, and what its completions mean.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "errors.h"
#include "linux_uring.h"
#include "socket.h"

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

void DescribeSend(SendOperation* send, io_uring_sqe* entry) {
  iovec* const pieces = &send->pieces[static_cast<size_t>(send->first)];
  const int count = send->count - send->first;
  if (count == 1) {
    entry->opcode = IORING_OP_SEND;
    entry->addr = reinterpret_cast<uint64_t>(pieces->iov_base);
    entry->len = static_cast<uint32_t>(pieces->iov_len);
  } else {
    send->message = {};
    send->message.msg_iov = pieces;
    send->message.msg_iovlen = static_cast<size_t>(count);
    entry->opcode = IORING_OP_SENDMSG;
    entry->addr = reinterpret_cast<uint64_t>(&send->message);
    entry->len = 1;
  }
  entry->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
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
  if (opcode == Opcode::kConnect && !PrepareConnect(endpoint)) {
    Release(endpoint, opcode, NodeErrno(EINVAL));
    return ArmHeld(endpoint);
  }
  io_uring_sqe* const entry = queue_->NextEntry();
  if (entry == nullptr) return postponed_.push_back({endpoint, opcode, false});
  const uint64_t name = request_name::Make(next_serial_++, opcode, endpoint->number);
  Describe(endpoint, opcode, entry);
  entry->fd = endpoint->fd;
  entry->user_data = endpoint->Request(opcode) = name;
  requests_++;
  if (opcode == Opcode::kReceive && endpoint->receive_left > 1) WatchHangUp(endpoint);
}

// False when the address is none. The kernel may read it until the request ends.
bool UringPort::PrepareConnect(UringEndpoint* endpoint) {
  endpoint->connect_address = std::make_unique<KernelAddress>();
  return ToKernel(endpoint->remote, endpoint->connect_address.get());
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
    default:
      return DescribeSend(endpoint->send.get(), entry);
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
  if (!endpoint->surplus) return;
  while (!endpoint->surplus->empty() && endpoint->Has(Opcode::kAccept)) {
    const int fd = endpoint->surplus->front();
    endpoint->surplus->pop_front();
    CompleteAccept(endpoint, fd, AcceptedPeer(fd));
  }
  if (endpoint->surplus->empty()) endpoint->surplus.reset();
}

void UringPort::OnAccept(UringEndpoint* endpoint, int32_t result, bool more) {
  const bool wanted = !endpoint->IsUnwanted(Opcode::kAccept);
  if (result >= 0) {
    endpoint->refusals = 0;
    if (endpoint->Has(Opcode::kAccept)) {
      CompleteAccept(endpoint, result, AcceptedPeer(result));
    } else {
      if (!endpoint->surplus) endpoint->surplus = std::make_unique<std::deque<int>>();
      endpoint->surplus->push_back(result);
    }
    if (!endpoint->Has(Opcode::kAccept)) CancelRequest(endpoint, Opcode::kAccept);
  }
  if (more || !endpoint->Has(Opcode::kAccept)) return;
  const int32_t error = result < 0 ? NodeErrno(-result) : 0;
  if (!wanted) return Release(endpoint, Opcode::kAccept, NodeErrno(ECANCELED));
  // Cancelled, but not wanted to be: that was the last accept, at its limit, and this is the next.
  const bool goes_on = error == 0 || error == NodeErrno(ECANCELED) || error == NodeErrno(EINTR) ||
                       (ConcernsOneConnection(error) &&
                        (error != NodeErrno(EPERM) || ++endpoint->refusals < kRefusals));
  if (goes_on) return Arm(endpoint, Opcode::kAccept);
  endpoint->refusals = 0;
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
  const bool interrupted = result >= 0 || result == -EINTR || result == -ECANCELED;
  if (interrupted && endpoint->IsUnwanted(Opcode::kSend)) {
    return Release(endpoint, Opcode::kSend, NodeErrno(ECANCELED));
  }
  if (result > 0 || result == -EINTR) return Arm(endpoint, Opcode::kSend);
  Release(endpoint, Opcode::kSend, result < 0 ? NodeErrno(-result) : NodeErrno(EPIPE));
}

// -- receiving ------------------------------------------------------------------------------------

void UringPort::OnReceive(UringEndpoint* endpoint, const io_uring_cqe& completion) {
  ReceivedPiece piece;
  piece.last = (completion.flags & IORING_CQE_F_MORE) == 0;
  piece.result = completion.res;
  if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
    const auto id = static_cast<uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    piece.buffer = rings_.Filled(endpoint->group, id);
    if (piece.result <= 0) rings_.GiveBack(endpoint->group, piece.buffer);
  }
  if (endpoint->group->refused && piece.result >= 0) ReceiveByHand(endpoint, &piece);
  if (piece.last) {
    rings_.EndReceive(endpoint->group);
    endpoint->group = nullptr;
  }
  if (piece.result > 0 && --endpoint->receive_left <= 0 && !piece.last) {
    CancelRequest(endpoint, Opcode::kReceive);
  }
  const bool waits = endpoint->HasReceived();
  const bool had_turn = endpoint->last_turn == turn_;
  if (!waits && !had_turn && completions_.HasRoom()) return CompleteReceive(endpoint, piece);
  if (!endpoint->received) endpoint->received = std::make_unique<std::deque<ReceivedPiece>>();
  endpoint->received->push_back(piece);
  if (waits) return;
  if (had_turn) {
    had_turn_.push_back(endpoint);
  } else {
    run_.Push(endpoint);
  }
}

// A multishot receive goes on only when told of something new. It takes bytes, learns from TCP that
// none are left, and waits; had a reset come before it took them, nothing new will ever be told, and
// the error is met by nobody (FIN is counted as one more byte, a reset is not). A poll for the end
// has no such gap: it looks when it begins, and whenever the socket's state changes.
void UringPort::WatchHangUp(UringEndpoint* endpoint) {
  if (endpoint->hung_up || endpoint->Request(kHangUpWatch) != request_name::kNone) return;
  // Postponed meanwhile, and no longer needed.
  if (!endpoint->Has(Opcode::kReceive) || endpoint->Has(Opcode::kClose)) return;
  io_uring_sqe* const entry = queue_->NextEntry();
  if (entry == nullptr) return postponed_.push_back({endpoint, kHangUpWatch, false});
  DescribePoll(POLLRDHUP, entry);  // errors and hang-ups are always told
  entry->fd = endpoint->fd;
  entry->user_data = endpoint->Request(kHangUpWatch) =
      request_name::Make(next_serial_++, kHangUpWatch, endpoint->number);
  requests_++;
}

void UringPort::OnHangUp(UringEndpoint* endpoint, int32_t result) {
  if (result == -ECANCELED) return;
  endpoint->hung_up = true;
  // Begun anew, and not as a multishot, it looks for itself.
  CancelRequest(endpoint, Opcode::kReceive);
}

void UringPort::ReceiveByHand(UringEndpoint* endpoint, ReceivedPiece* piece) {
  const Buffer buffer = rings_.TakeByHand(endpoint->group);
  if (buffer.memory == nullptr) {
    piece->result = -ENOBUFS;
    return;
  }
  piece->result = Receive(endpoint->fd, buffer.memory, buffer.size);
  if (piece->result > 0) {
    piece->buffer = buffer;
    return;
  }
  rings_.GiveBack(endpoint->group, buffer);
  // Ready no longer: begins anew, as after a signal.
  if (piece->result == NodeErrno(EAGAIN)) piece->result = -EINTR;
}

void UringPort::CompleteNextReceived(UringEndpoint* endpoint) {
  const ReceivedPiece piece = endpoint->received->front();
  endpoint->received->pop_front();
  // Ten thousand connections that once had two pieces at a time should not each keep a queue.
  if (endpoint->received->empty()) endpoint->received.reset();
  CompleteReceive(endpoint, piece);
  FinishCloseIfIdle(endpoint);
}

void UringPort::CompleteReceive(UringEndpoint* endpoint, const ReceivedPiece& piece) {
  endpoint->last_turn = turn_;
  if (piece.result <= 0) {
    if (piece.last) EndReceive(endpoint, piece.result);
    return;
  }
  const bool wanted = endpoint->receive_left > 0 && !endpoint->IsUnwanted(Opcode::kReceive);
  buffers_.Settle(piece.buffer);
  CompletionRecord record{};
  record.result = piece.result;
  record.segment = piece.buffer.segment;
  record.index = piece.buffer.index;
  record.flags = piece.last && !wanted ? 0 : kMore;
  Complete(endpoint, Opcode::kReceive, record);
  // The kernel ends a multishot also for reasons of its own.
  if (piece.last && wanted) Arm(endpoint, Opcode::kReceive);
}

// The request ended without data.
void UringPort::EndReceive(UringEndpoint* endpoint, int32_t result) {
  const bool wanted = endpoint->receive_left > 0 && !endpoint->IsUnwanted(Opcode::kReceive);
  // The group had no buffer when the kernel looked; it may have some now, and the selector, which
  // has provided them, will not do so again.
  const bool refilled = result == -ENOBUFS && rings_.HasAny(endpoint->receive_group);
  // Cancelled by nobody but OnHangUp.
  const bool restarts = result == -ECANCELED || result == -EINTR;
  if (wanted && (refilled || restarts)) return Arm(endpoint, Opcode::kReceive);
  if (result == -EINTR) result = -ECANCELED;
  Release(endpoint, Opcode::kReceive, result < 0 ? NodeErrno(-result) : 0);
}

}  // namespace sideport
