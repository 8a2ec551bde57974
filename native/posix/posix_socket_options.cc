#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#ifdef __linux__
#include <linux/sock_diag.h>
#endif

#include "errors.h"
#include "kernel_address.h"
#include "socket_options.h"

// macOS calls the idle time TCP_KEEPALIVE.
#if !defined(TCP_KEEPIDLE) && defined(TCP_KEEPALIVE)
#define TCP_KEEPIDLE TCP_KEEPALIVE
#endif

namespace sideport {
namespace {

struct Place {
  int level = 0;
  int name = 0;
};

// Of the options that are one integer; level and name 0 for the others.
Place PlaceOf(SocketOption option) {
  switch (option) {
    case SocketOption::kReceiveBufferSize:
      return {SOL_SOCKET, SO_RCVBUF};
    case SocketOption::kSendBufferSize:
      return {SOL_SOCKET, SO_SNDBUF};
    case SocketOption::kBroadcast:
      return {SOL_SOCKET, SO_BROADCAST};
    case SocketOption::kMulticastLoopV6:
      return {IPPROTO_IPV6, IPV6_MULTICAST_LOOP};
    case SocketOption::kMulticastHopsV6:
      return {IPPROTO_IPV6, IPV6_MULTICAST_HOPS};
    case SocketOption::kReuseAddress:
      return {SOL_SOCKET, SO_REUSEADDR};
    case SocketOption::kOnlyV6:
      return {IPPROTO_IPV6, IPV6_V6ONLY};
    default:
      return {};
  }
}

template <typename Value>
int32_t Set(int fd, int level, int name, const Value& value) {
  return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0 : LastNodeErrno();
}

template <typename Value>
int32_t Get(int fd, int level, int name, Value* value) {
  socklen_t length = sizeof(*value);
  return getsockopt(fd, level, name, value, &length) == 0 ? 0 : LastNodeErrno();
}

int32_t SetKeepAlive(int fd, int32_t seconds) {
  if (seconds < 0) return NodeErrno(EINVAL);
  const int32_t error = Set(fd, SOL_SOCKET, SO_KEEPALIVE, int{seconds > 0});
  if (error != 0 || seconds == 0) return error;
#ifdef TCP_KEEPIDLE
  return Set(fd, IPPROTO_TCP, TCP_KEEPIDLE, int{seconds});
#else
  return 0;
#endif
}

int32_t GetKeepAlive(int fd, int32_t* seconds) {
  int on = 0;
  const int32_t error = Get(fd, SOL_SOCKET, SO_KEEPALIVE, &on);
  *seconds = on != 0 ? 1 : 0;
#ifdef TCP_KEEPIDLE
  if (error == 0 && on != 0) return Get(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
#endif
  return error;
}

int32_t GetFamily(int fd, int32_t* family) {
  KernelAddress address{};
  address.length = sizeof(address.storage);
  if (getsockname(fd, address.get(), &address.length) != 0) return LastNodeErrno();
  switch (address.storage.ss_family) {
    case AF_INET:
      *family = 4;
      return 0;
    case AF_INET6:
      *family = 6;
      return 0;
    case AF_UNIX:
      *family = kUnixFamily;
      return 0;
    default:
      return NodeErrno(EAFNOSUPPORT);
  }
}

int32_t GetType(int fd, int32_t* type) {
  int value = 0;
  const int32_t error = Get(fd, SOL_SOCKET, SO_TYPE, &value);
  if (error != 0) return error;
  if (value != SOCK_STREAM && value != SOCK_DGRAM) return NodeErrno(EPROTOTYPE);
  *type = value == SOCK_STREAM ? 1 : 2;
  return 0;
}

int32_t GetDrops(int fd, int32_t* drops) {
#if defined(__linux__) && defined(SO_MEMINFO)
  uint32_t figures[SK_MEMINFO_VARS] = {};
  const int32_t error = Get(fd, SOL_SOCKET, SO_MEMINFO, &figures);
  *drops = static_cast<int32_t>(figures[SK_MEMINFO_DROPS]);
  return error;
#else
  return NodeErrno(ENOTSUP);
#endif
}

}  // namespace

int32_t SetOption(int fd, SocketOption option, int32_t value) {
  switch (option) {
    case SocketOption::kKeepAliveSeconds:
      return SetKeepAlive(fd, value);
    case SocketOption::kLingerSeconds:
      return Set(fd, SOL_SOCKET, SO_LINGER, linger{value >= 0, value >= 0 ? value : 0});
    case SocketOption::kMulticastLoopV4:
      // A byte is what every system takes here.
      return Set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, static_cast<unsigned char>(value));
    case SocketOption::kMulticastTtlV4:
      if (value < 0 || value > 255) return NodeErrno(EINVAL);
      return Set(fd, IPPROTO_IP, IP_MULTICAST_TTL, static_cast<unsigned char>(value));
    default: {
      const Place place = PlaceOf(option);
      const bool writable = option < SocketOption::kOnlyV6 && place.name != 0;
      return writable ? Set(fd, place.level, place.name, int{value}) : NodeErrno(EINVAL);
    }
  }
}

int32_t GetOption(int fd, SocketOption option, int32_t* value) {
  switch (option) {
    case SocketOption::kKeepAliveSeconds:
      return GetKeepAlive(fd, value);
    case SocketOption::kLingerSeconds: {
      linger current{};
      const int32_t error = Get(fd, SOL_SOCKET, SO_LINGER, &current);
      *value = current.l_onoff != 0 ? current.l_linger : -1;
      return error;
    }
    case SocketOption::kMulticastLoopV4:
    case SocketOption::kMulticastTtlV4: {
      unsigned char byte = 0;
      const bool loop = option == SocketOption::kMulticastLoopV4;
      const int32_t error = Get(fd, IPPROTO_IP, loop ? IP_MULTICAST_LOOP : IP_MULTICAST_TTL, &byte);
      *value = byte;
      return error;
    }
    case SocketOption::kType:
      return GetType(fd, value);
    case SocketOption::kFamily:
      return GetFamily(fd, value);
    case SocketOption::kIsListening:
#ifdef SO_ACCEPTCONN
      return Get(fd, SOL_SOCKET, SO_ACCEPTCONN, value);
#else
      return NodeErrno(ENOTSUP);
#endif
    case SocketOption::kDrops:
      return GetDrops(fd, value);
    default: {
      const Place place = PlaceOf(option);
      return place.name != 0 ? Get(fd, place.level, place.name, value) : NodeErrno(EINVAL);
    }
  }
}

int32_t SetRawOption(int fd, int level, int name, const void* value, size_t size) {
  return setsockopt(fd, level, name, value, static_cast<socklen_t>(size)) == 0 ? 0
                                                                               : LastNodeErrno();
}

}  // namespace sideport
