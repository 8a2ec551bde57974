// ReadinessPort's steps on datagram sockets: many datagrams per system call, where the system can.

#include <algorithm>
#include <array>
#include <cerrno>

#include "datagram.h"
#include "errors.h"
#include "readiness/readiness_port.h"

namespace sideport {
namespace {

// The least that a step asks for. A quiet socket costs no more than that many buffers' book-keeping.
constexpr size_t kLeastBatch = 4;

}  // namespace

void ReadinessPort::StepReceiveFrom(Endpoint* endpoint) {
  const int32_t group = endpoint->receive_group;
  const size_t room = std::min(completions_.Room(), static_cast<size_t>(endpoint->receive_left));
  const size_t wanted = std::max<size_t>(kLeastBatch, size_t{2} * endpoint->datagram_batch);
  const size_t limit = std::min({room, wanted, size_t{kDatagramsPerEndpoint}});
  if (limit == 0) return;
  std::array<Buffer, kDatagramsPerEndpoint> buffers;
  std::array<int32_t, kDatagramsPerEndpoint> lengths;
  size_t count = 0;
  for (; count < limit; count++) {
    buffers[count] = buffers_.Take(group);
    if (buffers[count].memory == nullptr) break;
  }
  // The descriptor stays as ready as it was: the next receive finds what is there.
  if (count == 0) return Release(endpoint, Opcode::kReceiveFrom, NodeErrno(ENOBUFS));
  const int32_t result = ReceiveDatagrams(endpoint->fd, buffers.data(), count, lengths.data());
  const size_t filled = result > 0 ? static_cast<size_t>(result) : 0;
  // The last taken first: the group is a stack, and the buffers keep their order in it.
  for (size_t at = count; at > filled; at--) buffers_.GiveBack(group, buffers[at - 1]);
  endpoint->datagram_batch = static_cast<uint8_t>(filled);
  for (size_t at = 0; at < filled; at++) {
    CompleteDatagram(endpoint, buffers[at], lengths[at], --endpoint->receive_left > 0);
  }
  if (filled == count) return;
  // Fewer than asked for: there are no more, or an error is next, of which an edge-triggered kernel
  // tells once.
  if (filled > 0) {
    if ((endpoint->ready & kExhaustive) == 0) endpoint->ready &= static_cast<uint8_t>(~kReadable);
  } else if (result == NodeErrno(EAGAIN)) {
    endpoint->ready &= static_cast<uint8_t>(~(kReadable | kExhaustive));
  } else if (ConcernsEarlierSend(result)) {
    CompleteEarlierError(endpoint, result);
  } else {
    Release(endpoint, Opcode::kReceiveFrom, result);
  }
}

void ReadinessPort::StepSendTo(Endpoint* endpoint) {
  DatagramSend& send = *endpoint->send_to;
  const int32_t result = SendDatagrams(endpoint->fd, send);
  if (result > 0) {
    send.sent += result;
    // Fewer than given: the next step meets the reason.
    if (send.IsComplete()) Release(endpoint, Opcode::kSendTo, send.sent);
    return;
  }
  if (result == NodeErrno(EAGAIN) && !CannotAwaitRoom(send)) {
    endpoint->ready &= static_cast<uint8_t>(~kWritable);
    return;
  }
  Release(endpoint, Opcode::kSendTo, send.sent > 0 ? send.sent : result);
}

}  // namespace sideport
