#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>

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

void PrepareSocket(int fd) {
  SetCloseOnExecAndNonBlocking(fd);
#ifdef SO_NOSIGPIPE
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
#endif
}

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

}  // namespace

void SetCloseOnExecAndNonBlocking(int fd) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int32_t OpenStreamSocket(int family) {
  if (family != 4 && family != 6) return NodeErrno(EAFNOSUPPORT);
  const int domain = family == 6 ? AF_INET6 : AF_INET;
#ifdef SOCK_CLOEXEC
  // In one call: between socket() and fcntl() another thread could fork.
  const int fd = socket(domain, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#else
  const int fd = socket(domain, SOCK_STREAM, 0);
#endif
  if (fd < 0) return LastNodeErrno();
#ifndef SOCK_CLOEXEC
  PrepareSocket(fd);
#endif
  return fd;
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
  } else {
    DiscardInput(fd);
  }
  CloseDescriptor(fd);
}

// Not retried on EINTR: Linux has closed it by then, and the number may be somebody else's.
void CloseDescriptor(int fd) { close(fd); }

}  // namespace sideport
