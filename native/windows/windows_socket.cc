// socket.h over Winsock.

#include <cerrno>

#include "errors.h"
#include "socket.h"
#include "socket_options.h"
#include "windows/windows_datagram.h"
#include "windows/windows_errors.h"
#include "windows/windows_winsock.h"

namespace sideport {
namespace {

// At most this much of what the peer sent and nobody read is discarded at a flushed close.
constexpr size_t kDiscardLimit = 1 << 20;

int32_t Result(int returned) { return returned == 0 ? 0 : LastNodeErrno(); }

int32_t SetIntOption(int fd, int level, int name, int value) {
  return Result(
      setsockopt(ToSocket(fd), level, name, reinterpret_cast<const char*>(&value), sizeof(value)));
}

int32_t GetIntOption(int fd, int level, int name) {
  int value = 0;
  socklen_t length = sizeof(value);
  const int returned =
      getsockopt(ToSocket(fd), level, name, reinterpret_cast<char*>(&value), &length);
  return returned == 0 ? value : LastNodeErrno();
}

// AF_INET, AF_INET6 or 0. Winsock has no address of a socket that is not bound yet to tell it by.
int FamilyOf(int fd) {
  WSAPROTOCOL_INFOW information;
  socklen_t length = sizeof(information);
  const int returned = getsockopt(ToSocket(fd), SOL_SOCKET, SO_PROTOCOL_INFOW,
                                  reinterpret_cast<char*>(&information), &length);
  return returned == 0 ? information.iAddressFamily : 0;
}

// With a time to linger closesocket() fails on a socket that does not block (WSAEWOULDBLOCK), and leaves it
// open; our own linger has seen to the sending by now. With no time it is the user's wish for a reset.
bool WishesReset(int fd) {
  int32_t seconds = -1;
  if (GetOption(fd, SocketOption::kLingerSeconds, &seconds) != 0 || seconds < 0) return false;
  if (seconds == 0) return true;
  SetOption(fd, SocketOption::kLingerSeconds, -1);
  return false;
}

// Sends FIN, then reads away what has arrived. Closing with unread input makes Windows send a reset,
// which may overtake our last bytes on their way to the peer. Bounded, because a peer may send
// faster than this reads.
void DiscardInput(int fd) {
  if (shutdown(ToSocket(fd), SD_SEND) != 0) return;
  uint8_t sink[16384];
  for (size_t discarded = 0; discarded < kDiscardLimit;) {
    const int32_t count = Receive(fd, sink, sizeof(sink));
    if (count <= 0) return;
    discarded += static_cast<size_t>(count);
  }
}

}  // namespace

int32_t OpenStreamSocket(int family) {
  if (family != 4 && family != 6) return NodeErrno(EAFNOSUPPORT);
  StartWinsock();
  const SOCKET socket = WSASocketW(family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP,
                                   nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return LastNodeErrno();
  // For the receives of no more than what is there. Overlapped operations wait all the same.
  u_long on = 1;
  ioctlsocket(socket, FIONBIO, &on);
  return FromSocket(socket);
}

int32_t AdoptDescriptor(int fd) {
  StartWinsock();
  const int32_t type = GetIntOption(fd, SOL_SOCKET, SO_TYPE);
  if (type < 0) return type;
  if (type == SOCK_DGRAM) {
    WireAddress peer;
    HearRefusals(fd, PeerAddress(fd, &peer) == 0);
  }
  u_long on = 1;
  return Result(ioctlsocket(ToSocket(fd), FIONBIO, &on));
}

// Of streams reuse_address is not heeded: what POSIX systems mean by it, binding over connections that
// linger, is what Windows always does, and its SO_REUSEADDR lets anybody take over a port in use. Of
// datagram sockets both mean that all who say so share a port.
int32_t Bind(int fd, const WireAddress& address, const BindFlags& flags) {
  KernelAddress kernel;
  if (!ToKernel(address, &kernel)) return NodeErrno(EINVAL);
  if (flags.reuse_port) return NodeErrno(ENOTSUP);
  if (flags.reuse_address && GetIntOption(fd, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM) {
    SetIntOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  }
  if (address.family == 6) SetIntOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, flags.v6only ? 1 : 0);
  return Result(bind(ToSocket(fd), kernel.get(), kernel.length));
}

int32_t Listen(int fd, int backlog) { return Result(listen(ToSocket(fd), backlog)); }

// Winsock says WSAEINVAL of a socket that is not bound, where POSIX systems tell the address that means
// none.
int32_t LocalAddress(int fd, WireAddress* out) {
  KernelAddress address{};
  address.length = sizeof(address.storage);
  if (getsockname(ToSocket(fd), address.get(), &address.length) == 0) {
    *out = ToWire(address);
    return 0;
  }
  if (WSAGetLastError() != WSAEINVAL) return LastNodeErrno();
  *out = {};
  out->family = FamilyOf(fd) == AF_INET6 ? 6 : 4;
  return 0;
}

int32_t PeerAddress(int fd, WireAddress* out) {
  KernelAddress address{};
  address.length = sizeof(address.storage);
  if (getpeername(ToSocket(fd), address.get(), &address.length) != 0) return LastNodeErrno();
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
  return FamilyOf(fd) == AF_INET6 ? SetIntOption(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl)
                                  : SetIntOption(fd, IPPROTO_IP, IP_TTL, ttl);
}

int32_t GetTtl(int fd) {
  return FamilyOf(fd) == AF_INET6 ? GetIntOption(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS)
                                  : GetIntOption(fd, IPPROTO_IP, IP_TTL);
}

bool ConcernsOneConnection(int32_t error) {
  static constexpr int kErrors[] = {ECONNABORTED, ECONNRESET, ETIMEDOUT};
  for (int one : kErrors) {
    if (error == NodeErrno(one)) return true;
  }
  return false;
}

int32_t Receive(int fd, uint8_t* into, size_t size) {
  const int count = recv(ToSocket(fd), reinterpret_cast<char*>(into), static_cast<int>(size), 0);
  return count < 0 ? LastNodeErrno() : count;
}

void ShutdownSocket(int fd, int how) {
  constexpr int kHow[] = {SD_RECEIVE, SD_SEND, SD_BOTH};
  if (how >= 0 && how <= 2) shutdown(ToSocket(fd), kHow[how]);
}

void CloseSocket(int fd, CloseMode mode) {
  if (mode == CloseMode::kReset) {
    const linger reset = {1, 0};
    setsockopt(ToSocket(fd), SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&reset),
               sizeof(reset));
  } else if (!WishesReset(fd)) {
    DiscardInput(fd);
  }
  CloseDescriptor(fd);
}

// Pipes and other handles come here, too: Winsock refuses what is no socket.
void CloseDescriptor(int fd) {
  StartWinsock();
  if (closesocket(ToSocket(fd)) != 0 && WSAGetLastError() == WSAENOTSOCK) CloseHandle(ToHandle(fd));
}

}  // namespace sideport
