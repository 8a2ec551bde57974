#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "datagram.h"
#include "errors.h"

namespace sideport {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
#else
constexpr int kSendFlags = MSG_DONTWAIT;
#endif

// mmsghdr where there is one. Elsewhere one call moves one datagram, and the loops below do the rest.
#ifdef __linux__
using ManyMessages = mmsghdr;
#else
struct ManyMessages {
  msghdr msg_hdr;
  unsigned int msg_len;
};
#endif

struct Arrivals {
  std::array<ManyMessages, kDatagramsPerEndpoint> messages;
  std::array<iovec, kDatagramsPerEndpoint> payloads;
  std::array<KernelAddress, kDatagramsPerEndpoint> sources;
};

int32_t ReceiveMany(int fd, ManyMessages* messages, unsigned count) {
#ifdef __linux__
  int received;
  do {
    received = recvmmsg(fd, messages, count, MSG_DONTWAIT, nullptr);
  } while (received < 0 && errno == EINTR);
  return received < 0 ? LastNodeErrno() : received;
#else
  for (unsigned at = 0; at < count; at++) {
    ssize_t length;
    do {
      length = recvmsg(fd, &messages[at].msg_hdr, MSG_DONTWAIT);
    } while (length < 0 && errno == EINTR);
    // An error behind a datagram is met again by the next call, unless it was one of an earlier send.
    if (length < 0) return at > 0 ? static_cast<int32_t>(at) : LastNodeErrno();
    messages[at].msg_len = static_cast<unsigned>(length);
  }
  return static_cast<int32_t>(count);
#endif
}

int32_t SendMany(int fd, ManyMessages* messages, unsigned count) {
#ifdef __linux__
  int sent;
  do {
    sent = sendmmsg(fd, messages, count, kSendFlags);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? LastNodeErrno() : sent;
#else
  for (unsigned at = 0; at < count; at++) {
    ssize_t sent;
    do {
      sent = sendmsg(fd, &messages[at].msg_hdr, kSendFlags);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) return at > 0 ? static_cast<int32_t>(at) : LastNodeErrno();
  }
  return static_cast<int32_t>(count);
#endif
}

}  // namespace

bool ConcernsEarlierSend(int32_t error) {
  static constexpr int kErrors[] = {
      ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN,  ENETRESET, EPROTO,
      ENOPROTOOPT,  EMSGSIZE,   EOPNOTSUPP,   EACCES,      EPERM,     ETIMEDOUT, EPIPE,
#ifdef ENONET
      ENONET,
#endif
  };
  return std::any_of(std::begin(kErrors), std::end(kErrors),
                     [error](int one) { return error == NodeErrno(one); });
}

double NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

int32_t ReceiveDatagrams(int fd, const Buffer* buffers, size_t count, int32_t* lengths) {
  // Thirty-two of everything: on the stack, and only as many as are asked for are touched.
  Arrivals arrivals;
  for (size_t at = 0; at < count; at++) {
    arrivals.payloads[at] = {buffers[at].memory + kPayloadOffset,
                             buffers[at].size - kPayloadOffset};
    msghdr& message = arrivals.messages[at].msg_hdr;
    message = {};
    message.msg_name = &arrivals.sources[at].storage;
    message.msg_namelen = sizeof(arrivals.sources[at].storage);
    message.msg_iov = &arrivals.payloads[at];
    message.msg_iovlen = 1;
  }
  const int32_t received = ReceiveMany(fd, arrivals.messages.data(), static_cast<unsigned>(count));
  if (received <= 0) return received == 0 ? NodeErrno(EAGAIN) : received;
  const double now_ms = NowMs();
  for (size_t at = 0; at < static_cast<size_t>(received); at++) {
    const ManyMessages& message = arrivals.messages[at];
    lengths[at] = static_cast<int32_t>(message.msg_len);
    arrivals.sources[at].length = message.msg_hdr.msg_namelen;
    WriteHeader(buffers[at].memory, lengths[at], (message.msg_hdr.msg_flags & MSG_TRUNC) != 0,
                now_ms, arrivals.sources[at]);
  }
  return received;
}

int32_t SendDatagrams(int fd, const DatagramSend& send) {
  std::array<ManyMessages, kPiecesPerSendTo> messages;
  const int count = send.count - send.sent;
  for (int at = 0; at < count; at++) {
    // The kernel reads them only; the types it is told them by are those of receiving.
    auto& datagram =
        const_cast<DatagramSend::Datagram&>(send.datagrams[static_cast<size_t>(send.sent + at)]);
    msghdr& message = messages[static_cast<size_t>(at)].msg_hdr;
    message = {};
    if (datagram.destination.length > 0) {
      message.msg_name = &datagram.destination.storage;
      message.msg_namelen = datagram.destination.length;
    }
    message.msg_iov = const_cast<iovec*>(&send.pieces[static_cast<size_t>(datagram.first_piece)]);
    message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(datagram.piece_count);
  }
  return SendMany(fd, messages.data(), static_cast<unsigned>(count));
}

bool CannotAwaitRoom(const DatagramSend& send) {
  const KernelAddress& destination = send.datagrams[static_cast<size_t>(send.sent)].destination;
  return destination.length > 0 && destination.storage.ss_family == AF_UNIX;
}

int32_t SendDatagram(int fd, const uint8_t* bytes, size_t length,
                     const KernelAddress* destination) {
  const sockaddr* const address = destination != nullptr ? destination->get() : nullptr;
  const socklen_t address_length = destination != nullptr ? destination->length : 0;
  ssize_t sent;
  do {
    sent = sendto(fd, bytes, length, kSendFlags, address, address_length);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? LastNodeErrno() : static_cast<int32_t>(sent);
}

}  // namespace sideport
