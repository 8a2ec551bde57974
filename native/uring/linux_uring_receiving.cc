// UringPort's receives: what their completions mean, in which order they are told, and the watch that
// a multishot receive needs beside it.

#include <poll.h>

#include <cerrno>

#include "errors.h"
#include "socket.h"
#include "uring/linux_uring.h"

namespace sideport {

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
  entry->user_data = NameRequest(endpoint, kHangUpWatch);
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
  const bool restarts = result == -ECANCELED || IsInconclusive(result);
  if (wanted && (refilled || restarts)) return Arm(endpoint, Opcode::kReceive);
  if (IsInconclusive(result)) result = -ECANCELED;
  Release(endpoint, Opcode::kReceive, result < 0 ? NodeErrno(-result) : 0);
}

}  // namespace sideport
