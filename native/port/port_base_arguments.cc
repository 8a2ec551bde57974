// What an operation needs from its start to its release: checked and kept when it starts, given up when it
// is released.

#include <cerrno>

#include "errors.h"
#include "port/port_base.h"

namespace sideport {

// Checks the operation's arguments and stores them; 0 or an error.
int32_t PortBase::Prepare(Endpoint* endpoint, const SubmissionRecord* records, size_t count) {
  const SubmissionRecord& record = records[0];
  switch (static_cast<Opcode>(record.opcode)) {
    case Opcode::kAccept:
      endpoint->accept_left = record.a;
      return record.a >= 1 ? 0 : NodeErrno(EINVAL);
    case Opcode::kConnect:
      endpoint->connect_begun = false;
      endpoint->remote = std::make_unique<WireAddress>(record.address);
      return 0;
    case Opcode::kReceive:
    case Opcode::kReceiveFrom:
      return PrepareReceive(endpoint, record);
    case Opcode::kSend:
      return PrepareSend(endpoint, records, count);
    case Opcode::kSendTo:
      return PrepareSendTo(endpoint, records, count);
    default:
      endpoint->close_mode = static_cast<CloseMode>(record.a);
      return record.a == 0 || record.a == 1 ? 0 : NodeErrno(EINVAL);
  }
}

int32_t PortBase::PrepareReceive(Endpoint* endpoint, const SubmissionRecord& record) {
  if (endpoint->Has(Opcode::kReceive) || endpoint->Has(Opcode::kReceiveFrom)) {
    return NodeErrno(EALREADY);
  }
  endpoint->receive_group = record.a;
  endpoint->receive_left = record.b;
  return record.a >= 0 && record.b >= 1 ? 0 : NodeErrno(EINVAL);
}

int32_t PortBase::PrepareSend(Endpoint* endpoint, const SubmissionRecord* records, size_t count) {
  // The last record promises a piece that is not there, or there are too many.
  if (count > kPiecesPerSend || (records[count - 1].d & kMorePieces) != 0) return NodeErrno(EINVAL);
  int64_t total = 0;
  for (size_t at = 0; at < count; at++) {
    if (buffers_.Place(records[at].a, records[at].b, records[at].c) == nullptr) {
      return NodeErrno(EINVAL);
    }
    total += records[at].c;
  }
  // The result is the total, in one word.
  if (total > INT32_MAX) return NodeErrno(EINVAL);
  if (spare_sends_.empty()) spare_sends_.push_back(std::make_unique<SendOperation>());
  endpoint->send = std::move(spare_sends_.back());
  spare_sends_.pop_back();
  SendOperation& send = *endpoint->send;
  send.count = static_cast<int>(count);
  send.first = send.sent = 0;
  send.begun = false;
  send.total = static_cast<int32_t>(total);
  for (size_t at = 0; at < count; at++) {
    const SubmissionRecord& piece = records[at];
    send.pieces[at] =
        MakePiece(buffers_.Place(piece.a, piece.b, piece.c), static_cast<size_t>(piece.c));
    send.segments[at] = piece.a;
    buffers_.CountSend(piece.a, 1);
  }
  return 0;
}

int32_t PortBase::PrepareSendTo(Endpoint* endpoint, const SubmissionRecord* records, size_t count) {
  const int32_t last_flags = records[count - 1].d;
  if (count > kPiecesPerSendTo || (last_flags & (kMorePieces | kSameDatagram)) != 0) {
    return NodeErrno(EINVAL);
  }
  if (spare_sends_to_.empty()) spare_sends_to_.push_back(std::make_unique<DatagramSend>());
  DatagramSend& send = *spare_sends_to_.back();
  send.count = send.sent = 0;
  send.piece_count = static_cast<int>(count);
  bool goes_on = false;
  for (size_t at = 0; at < count; at++) {
    const SubmissionRecord& piece = records[at];
    uint8_t* const place = buffers_.Place(piece.a, piece.b, piece.c);
    if (place == nullptr) return NodeErrno(EINVAL);
    send.pieces[at] = MakePiece(place, static_cast<size_t>(piece.c));
    send.segments[at] = piece.a;
    if (goes_on) {
      send.datagrams[static_cast<size_t>(send.count - 1)].piece_count++;
    } else {
      DatagramSend::Datagram& datagram = send.datagrams[static_cast<size_t>(send.count++)];
      datagram.first_piece = static_cast<int>(at);
      datagram.piece_count = 1;
      if (!PrepareDestination(piece, &datagram.destination)) return NodeErrno(EINVAL);
    }
    goes_on = (piece.d & kSameDatagram) != 0;
  }
  for (size_t at = 0; at < count; at++) buffers_.CountSend(records[at].a, 1);
  endpoint->send_to = std::move(spare_sends_to_.back());
  spare_sends_to_.pop_back();
  return 0;
}

// Copied now: what lies in a segment may be overwritten by a client at any time.
bool PortBase::PrepareDestination(const SubmissionRecord& record, KernelAddress* out) const {
  const WireAddress& wire = record.address;
  if (wire.family == 0) {
    out->length = 0;
    return true;
  }
  if (wire.family != kUnixFamily) return ToKernel(wire, out);
  const size_t length = wire.zero;
  if (length == 0 || length > kUnixNameLimit || wire.scope_id > INT32_MAX) return false;
  const uint8_t* const name =
      buffers_.Place(record.a, static_cast<int32_t>(wire.scope_id), static_cast<int32_t>(length));
  return name != nullptr && ToUnixAddress(name, length, out);
}

void PortBase::DropSend(Endpoint* endpoint) {
  if (!endpoint->send) return;
  const SendOperation& send = *endpoint->send;
  for (int at = 0; at < send.count; at++) {
    buffers_.CountSend(send.segments[static_cast<size_t>(at)], -1);
  }
  spare_sends_.push_back(std::move(endpoint->send));
}

void PortBase::DropSendTo(Endpoint* endpoint) {
  if (!endpoint->send_to) return;
  const DatagramSend& send = *endpoint->send_to;
  for (int at = 0; at < send.piece_count; at++) {
    buffers_.CountSend(send.segments[static_cast<size_t>(at)], -1);
  }
  spare_sends_to_.push_back(std::move(endpoint->send_to));
}

}  // namespace sideport
