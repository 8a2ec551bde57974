// UringPort's operations on datagram sockets.
//
// Receiving is one multishot recvmsg. Into each buffer it writes, before the payload, what it has to
// tell of the datagram; the room it takes for that is a DatagramHeader's, which replaces it:
//
//     kernel   │ ReceivedMessage, 16 │ sender's address, 112 │ payload
//     told     │ DatagramHeader, 128                         │ payload
//
// Sending is a system call: a datagram is copied into the kernel at once or there is no room for it,
// and one sendmmsg carries what would be 64 requests. Only the wait for room is the ring's.

#include <poll.h>

#include <cerrno>
#include <cstring>

#include "datagram.h"
#include "errors.h"
#include "uring/linux_uring.h"

namespace sideport {
namespace {

static_assert(sizeof(uring::ReceivedMessage) + kSourceRoom == kPayloadOffset);

// Read by the kernel when the request is submitted.
msghdr MessageShape() {
  msghdr message{};
  message.msg_namelen = kSourceRoom;
  return message;
}
msghdr message_shape = MessageShape();

// Replaces what the kernel has written before the payload; returns the payload's length.
int32_t DescribeDatagram(uint8_t* buffer, int32_t result) {
  uring::ReceivedMessage told;
  std::memcpy(&told, buffer, sizeof(told));
  KernelAddress source{};
  // The length is the address's own, also where less of it was written.
  source.length = told.name_length < kSourceRoom ? told.name_length : kSourceRoom;
  std::memcpy(&source.storage, buffer + sizeof(told), source.length);
  const int32_t length = result - static_cast<int32_t>(kPayloadOffset);
  WriteHeader(buffer, length, (told.flags & MSG_TRUNC) != 0, NowMs(), source);
  return length;
}

}  // namespace

void UringPort::DescribeReceiveFrom(UringEndpoint* endpoint, io_uring_sqe* entry) {
  endpoint->group = rings_.BeginReceive(endpoint->receive_group);
  if (endpoint->group->refused) return DescribePoll(POLLIN, entry);
  entry->opcode = IORING_OP_RECVMSG;
  entry->addr = reinterpret_cast<uint64_t>(&message_shape);
  entry->len = 1;
  entry->flags = IOSQE_BUFFER_SELECT;
  entry->buf_group = endpoint->group->id;
  entry->ioprio = uring::kPollFirst | uring::kReceiveMultishot;
}

void UringPort::OnReceiveFrom(UringEndpoint* endpoint, const io_uring_cqe& completion) {
  const bool last = (completion.flags & IORING_CQE_F_MORE) == 0;
  int32_t result = completion.res;
  if ((completion.flags & IORING_CQE_F_BUFFER) != 0) {
    const auto id = static_cast<uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    const Buffer buffer = rings_.Filled(endpoint->group, id);
    if (result >= static_cast<int32_t>(kPayloadOffset)) {
      buffers_.Settle(buffer);
      endpoint->receive_left--;
      // The release comes when the request has ended, which no other completion may follow.
      CompleteDatagram(endpoint, buffer, DescribeDatagram(buffer.memory, result), true);
      result = 0;
    } else {
      rings_.GiveBack(endpoint->group, buffer);
    }
  } else if (endpoint->group->refused && result >= 0) {
    result = ReceiveDatagramByHand(endpoint);
  }
  if (last) {
    rings_.EndReceive(endpoint->group);
    endpoint->group = nullptr;
    GoOnReceivingFrom(endpoint, result);
  } else if (endpoint->receive_left <= 0) {
    CancelRequest(endpoint, Opcode::kReceiveFrom);
  }
}

// The group has no ring: the kernel has said that something is there, and we receive it.
int32_t UringPort::ReceiveDatagramByHand(UringEndpoint* endpoint) {
  const Buffer buffer = rings_.TakeByHand(endpoint->group);
  if (buffer.memory == nullptr) return -ENOBUFS;
  int32_t length = 0;
  const int32_t result = ReceiveDatagrams(endpoint->fd, &buffer, 1, &length);
  if (result <= 0) {
    rings_.GiveBack(endpoint->group, buffer);
    return result;
  }
  buffers_.Settle(buffer);
  endpoint->receive_left--;
  CompleteDatagram(endpoint, buffer, length, true);
  return 0;
}

// The request has ended, with 0 after a datagram.
void UringPort::GoOnReceivingFrom(UringEndpoint* endpoint, int32_t result) {
  const int32_t error = result < 0 ? NodeErrno(-result) : 0;
  const bool wanted = endpoint->receive_left > 0 && !endpoint->IsUnwanted(Opcode::kReceiveFrom);
  if (ConcernsEarlierSend(error)) CompleteEarlierError(endpoint, error);
  const bool refilled = result == -ENOBUFS && rings_.HasAny(endpoint->receive_group);
  const bool goes_on = error >= 0 || refilled || result == -ECANCELED || IsInconclusive(result) ||
                       ConcernsEarlierSend(error);
  if (wanted && goes_on) return Arm(endpoint, Opcode::kReceiveFrom);
  Release(endpoint, Opcode::kReceiveFrom, goes_on ? NodeErrno(ECANCELED) : error);
}

// Called in the place of a request.
void UringPort::SendToNow(UringEndpoint* endpoint) {
  DatagramSend& send = *endpoint->send_to;
  int32_t result = 0;
  while (!send.IsComplete()) {
    result = SendDatagrams(endpoint->fd, send);
    if (result <= 0) break;
    send.sent += result;
  }
  if (send.IsComplete()) return Release(endpoint, Opcode::kSendTo, send.sent);
  if (result != NodeErrno(EAGAIN) || CannotAwaitRoom(send)) {
    return Release(endpoint, Opcode::kSendTo, send.sent > 0 ? send.sent : result);
  }
  io_uring_sqe* const entry = queue_->NextEntry();
  if (entry == nullptr) return postponed_.push_back({endpoint, Opcode::kSendTo, false});
  DescribePoll(POLLOUT, entry);
  entry->fd = endpoint->fd;
  entry->user_data = NameRequest(endpoint, Opcode::kSendTo);
}

void UringPort::OnRoom(UringEndpoint* endpoint, int32_t result) {
  if (endpoint->IsUnwanted(Opcode::kSendTo)) {
    const int32_t sent = endpoint->send_to->sent;
    return Release(endpoint, Opcode::kSendTo, sent > 0 ? sent : NodeErrno(ECANCELED));
  }
  if (result >= 0 || IsInconclusive(result)) return SendToNow(endpoint);
  Release(endpoint, Opcode::kSendTo, NodeErrno(-result));
}

}  // namespace sideport
