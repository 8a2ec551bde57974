#include "posix/posix_socket.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "errors.h"
#include "socket.h"

namespace sideport {
namespace {

#ifdef MSG_NOSIGNAL
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;  // macOS: SO_NOSIGPIPE on each socket instead
#endif

// At most this much of what the peer sent and nobody read is discarded at a flushed close.
constexpr size_t kDiscardLimit = 1 << 20;

int32_t SetIntOption(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0 : LastNodeErrno();
}

int32_t GetIntOption(int fd, int level, int name) {
  int value = 0;
  socklen_t length = sizeof(value);
  return getsockopt(fd, level, name, &value, &length) == 0 ? value : LastNodeErrno();
}

bool IsIpv6(int fd) {
  KernelAddress address{};
  address.length = sizeof(address.storage);
  return getsockname(fd, address.get(), &address.length) == 0 &&
         address.storage.ss_family == AF_INET6;
}

// SO_LINGER with a time would make close() wait, here the whole I/O thread; our own linger has seen to
// the sending by now. With no time it is the user's wish for a reset.
bool WishesReset(int fd) {
  linger wish{};
  socklen_t length = sizeof(wish);
  if (getsockopt(fd, SOL_SOCKET, SO_LINGER, &wish, &length) != 0 || wish.l_onoff == 0) return false;
  if (wish.l_linger == 0) return true;
  const linger off = {0, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
  return false;
}

// Sends FIN, then reads away what has arrived. Closing with unread input makes the kernel send a
// reset, which may overtake our last bytes on their way to the peer. Bounded, because a peer may
// send faster than this reads.
void DiscardInput(int fd) {
  if (shutdown(fd, SHUT_WR) != 0) return;
  uint8_t sink[16384];
  for (size_t discarded = 0; discarded < kDiscardLimit;) {
    const int32_t count = Receive(fd, sink, sizeof(sink));
    if (count <= 0) return;
    discarded += static_cast<size_t>(count);
  }
}

// connect(2): AF_UNSPEC dissolves the association. Linux takes back with it a port that it chose itself,
// so that the socket must be bound to it once more.
int32_t DisconnectDatagram(int fd) {
  WireAddress before{};
  const int32_t named = LocalAddress(fd, &before);
  if (named != 0) return named;
  KernelAddress nobody{};
  nobody.storage.ss_family = AF_UNSPEC;
  nobody.length = sizeof(sockaddr_in);
  // The BSDs say EAFNOSUPPORT and do it.
  if (connect(fd, nobody.get(), nobody.length) != 0 && errno != EAFNOSUPPORT)
    return LastNodeErrno();
  WireAddress after{};
  const int32_t renamed = LocalAddress(fd, &after);
  if (renamed != 0 || std::memcmp(after.port_be, before.port_be, sizeof(after.port_be)) == 0) {
    return renamed;
  }
  std::memcpy(after.port_be, before.port_be, sizeof(after.port_be));
  KernelAddress local;
  ToKernel(after, &local);
  return bind(fd, local.get(), local.length) == 0 ? 0 : LastNodeErrno();
}

}  // namespace

void SetCloseOnExecAndNonBlocking(int fd) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void PrepareSocket(int fd) {
  SetCloseOnExecAndNonBlocking(fd);
#ifdef SO_NOSIGPIPE
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#endif
}

int32_t OpenSocket(int domain, int type) {
#ifdef SOCK_CLOEXEC
  // In one call: between socket() and fcntl() another thread could fork.
  const int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#else
  const int fd = socket(domain, type, 0);
#endif
  if (fd < 0) return LastNodeErrno();
#ifndef SOCK_CLOEXEC
  PrepareSocket(fd);
#endif
  return fd;
}

int32_t OpenStreamSocket(int family) {
  if (family != 4 && family != 6) return NodeErrno(EAFNOSUPPORT);
  return OpenSocket(family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM);
}

int32_t OpenDatagramSocket(int family) {
  if (family != 4 && family != 6) return NodeErrno(EAFNOSUPPORT);
  return OpenSocket(family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM);
}

int32_t AdoptDescriptor(int fd) {
  int type = 0;
  socklen_t length = sizeof(type);
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0) return LastNodeErrno();
  PrepareSocket(fd);
  return 0;
}

int32_t ConnectDatagram(int fd, const WireAddress& remote) {
  if (remote.family == 0) return DisconnectDatagram(fd);
  KernelAddress kernel;
  if (!ToKernel(remote, &kernel)) return NodeErrno(EINVAL);
  return connect(fd, kernel.get(), kernel.length) == 0 ? 0 : LastNodeErrno();
}

int32_t Bind(int fd, const WireAddress& address, const BindFlags& flags) {
  KernelAddress kernel;
  if (!ToKernel(address, &kernel)) return NodeErrno(EINVAL);
  if (flags.reuse_address) SetIntOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (flags.reuse_port) {
#ifdef SO_REUSEPORT
    const int32_t error = SetIntOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (error != 0) return error;
#else
    return NodeErrno(ENOTSUP);
#endif
  }
  // Set both ways: the system's default differs (net.ipv6.bindv6only, the BSDs).
  if (address.family == 6) SetIntOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, flags.v6only ? 1 : 0);
  return bind(fd, kernel.get(), kernel.length) == 0 ? 0 : LastNodeErrno();
}

int32_t Listen(int fd, int backlog) { return listen(fd, backlog) == 0 ? 0 : LastNodeErrno(); }

int32_t LocalAddress(int fd, WireAddress* out) {
  KernelAddress address{};
  address.length = sizeof(address.storage);
  if (getsockname(fd, address.get(), &address.length) != 0) return LastNodeErrno();
  *out = ToWire(address);
  return 0;
}

int32_t PeerAddress(int fd, WireAddress* out) {
  KernelAddress address{};
  address.length = sizeof(address.storage);
  if (getpeername(fd, address.get(), &address.length) != 0) return LastNodeErrno();
  *out = ToWire(address);
  return 0;
}

int32_t SetNoDelay(int fd, bool on) { return SetIntOption(fd, IPPROTO_TCP, TCP_NODELAY, on); }

int32_t GetNoDelay(int fd) {
  const int32_t value = GetIntOption(fd, IPPROTO_TCP, TCP_NODELAY);
  return value > 0 ? 1 : value;
}

int32_t SetTtl(int fd, int ttl) {
  if (ttl < 1 || ttl > 255) return NodeErrno(EINVAL);
  return IsIpv6(fd) ? SetIntOption(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl)
                    : SetIntOption(fd, IPPROTO_IP, IP_TTL, ttl);
}

int32_t GetTtl(int fd) {
  return IsIpv6(fd) ? GetIntOption(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS)
                    : GetIntOption(fd, IPPROTO_IP, IP_TTL);
}

int32_t AcceptConnection(int fd, WireAddress* peer) {
  KernelAddress address{};
  int connection;
  do {
    address.length = sizeof(address.storage);
    connection = accept(fd, address.get(), &address.length);
  } while (connection < 0 && errno == EINTR);
  if (connection < 0) return LastNodeErrno();
  PrepareSocket(connection);
  *peer = ToWire(address);
  return connection;
}

#ifdef __linux__
int32_t AcceptConnectionAtomic(int fd, WireAddress* peer) {
  KernelAddress address{};
  int connection;
  do {
    address.length = sizeof(address.storage);
    connection = accept4(fd, address.get(), &address.length, SOCK_CLOEXEC | SOCK_NONBLOCK);
  } while (connection < 0 && errno == EINTR);
  if (connection < 0) return LastNodeErrno();
  *peer = ToWire(address);
  return connection;
}
#endif

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

int32_t StartConnect(int fd, const WireAddress& remote) {
  KernelAddress kernel;
  if (!ToKernel(remote, &kernel)) return NodeErrno(EINVAL);
  if (connect(fd, kernel.get(), kernel.length) == 0) return 0;
  // An interrupted connect goes on in the background, as one in progress does.
  return NodeErrno(errno == EINTR ? EINPROGRESS : errno);
}

int32_t ConnectResult(int fd) {
  const int32_t error = GetIntOption(fd, SOL_SOCKET, SO_ERROR);
  return error > 0 ? NodeErrno(error) : error;
}

int32_t Receive(int fd, uint8_t* into, size_t size) {
  ssize_t count;
  do {
    count = recv(fd, into, size, 0);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? LastNodeErrno() : static_cast<int32_t>(count);
}

int32_t SendVector(int fd, const SendPiece* pieces, size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<SendPiece*>(pieces);
  message.msg_iovlen = count;
  ssize_t sent;
  do {
    sent = sendmsg(fd, &message, kSendFlags);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? LastNodeErrno() : static_cast<int32_t>(sent);
}

void ShutdownSocket(int fd, int how) {
  constexpr int kHow[] = {SHUT_RD, SHUT_WR, SHUT_RDWR};
  if (how >= 0 && how <= 2) shutdown(fd, kHow[how]);
}

void CloseSocket(int fd, CloseMode mode) {
  if (mode == CloseMode::kReset) {
    const linger reset = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  } else if (!WishesReset(fd)) {
    DiscardInput(fd);
  }
  CloseDescriptor(fd);
}

// Not retried on EINTR: Linux has closed it by then, and the number may be somebody else's.
void CloseDescriptor(int fd) { close(fd); }

}  // namespace sideport
