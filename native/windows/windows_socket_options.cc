// socket_options.h over Winsock. What it lacks is -ENOTSUP.

#include <cerrno>

#include "errors.h"
#include "socket_options.h"
#include "windows/windows_errors.h"
#include "windows/windows_winsock.h"

// Windows 10 1709 and later; MinGW's older headers lack it.
#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE 3
#endif

namespace sideport {
namespace {

template <typename Value>
int32_t Set(int fd, int level, int name, const Value& value) {
  return SetRawOption(fd, level, name, &value, sizeof(value));
}

template <typename Value>
int32_t Get(int fd, int level, int name, Value* value) {
  int length = static_cast<int>(sizeof(*value));
  const int returned =
      getsockopt(ToSocket(fd), level, name, reinterpret_cast<char*>(value), &length);
  return returned == 0 ? 0 : LastNodeErrno();
}

int32_t GetInteger(int fd, int level, int name, int32_t* out) {
  DWORD value = 0;
  const int32_t error = Get(fd, level, name, &value);
  *out = static_cast<int32_t>(value);
  return error;
}

struct Place {
  int level = 0;
  int name = 0;
};

// Of the options that are one DWORD; level and name 0 for the others. Windows heeds IP_MULTICAST_LOOP at
// the receiving socket, other systems at the sending one (Microsoft, "IPPROTO_IP Socket Options"); Wine
// does as they do.
Place PlaceOf(SocketOption option) {
  switch (option) {
    case SocketOption::kReceiveBufferSize:
      return {SOL_SOCKET, SO_RCVBUF};
    case SocketOption::kSendBufferSize:
      return {SOL_SOCKET, SO_SNDBUF};
    case SocketOption::kBroadcast:
      return {SOL_SOCKET, SO_BROADCAST};
    case SocketOption::kMulticastLoopV4:
      return {IPPROTO_IP, IP_MULTICAST_LOOP};
    case SocketOption::kMulticastLoopV6:
      return {IPPROTO_IPV6, IPV6_MULTICAST_LOOP};
    case SocketOption::kMulticastTtlV4:
      return {IPPROTO_IP, IP_MULTICAST_TTL};
    case SocketOption::kMulticastHopsV6:
      return {IPPROTO_IPV6, IPV6_MULTICAST_HOPS};
    case SocketOption::kReuseAddress:
      return {SOL_SOCKET, SO_REUSEADDR};
    case SocketOption::kOnlyV6:
      return {IPPROTO_IPV6, IPV6_V6ONLY};
    case SocketOption::kIsListening:
      return {SOL_SOCKET, SO_ACCEPTCONN};
    default:
      return {};
  }
}

int32_t SetKeepAlive(int fd, int32_t seconds) {
  if (seconds < 0) return NodeErrno(EINVAL);
  const int32_t error = Set(fd, SOL_SOCKET, SO_KEEPALIVE, DWORD{seconds > 0 ? 1u : 0u});
  if (error != 0 || seconds == 0) return error;
  return Set(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<DWORD>(seconds));
}

int32_t GetKeepAlive(int fd, int32_t* seconds) {
  const int32_t error = GetInteger(fd, SOL_SOCKET, SO_KEEPALIVE, seconds);
  if (error != 0 || *seconds == 0) return error;
  return GetInteger(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds);
}

int32_t SetLinger(int fd, int32_t seconds) {
  linger value{};
  value.l_onoff = seconds >= 0 ? 1 : 0;
  value.l_linger = static_cast<u_short>(seconds >= 0 ? seconds : 0);
  return Set(fd, SOL_SOCKET, SO_LINGER, value);
}

int32_t GetLinger(int fd, int32_t* seconds) {
  linger value{};
  const int32_t error = Get(fd, SOL_SOCKET, SO_LINGER, &value);
  *seconds = value.l_onoff != 0 ? value.l_linger : -1;
  return error;
}

int32_t GetKind(int fd, SocketOption option, int32_t* out) {
  WSAPROTOCOL_INFOW information;
  const int32_t error = Get(fd, SOL_SOCKET, SO_PROTOCOL_INFOW, &information);
  // Winsock says WSAENOTSOCK of what is no handle at all, too.
  DWORD flags = 0;
  if (error == NodeErrno(ENOTSOCK) && !GetHandleInformation(ToHandle(fd), &flags)) {
    return NodeErrno(EBADF);
  }
  if (error != 0) return error;
  if (option == SocketOption::kType) {
    *out = information.iSocketType == SOCK_STREAM ? 1 : 2;
    return 0;
  }
  *out = information.iAddressFamily == AF_INET6 ? 6 : 4;
  const bool known =
      information.iAddressFamily == AF_INET || information.iAddressFamily == AF_INET6;
  return known ? 0 : NodeErrno(EAFNOSUPPORT);
}

}  // namespace

int32_t SetOption(int fd, SocketOption option, int32_t value) {
  if (option == SocketOption::kKeepAliveSeconds) return SetKeepAlive(fd, value);
  if (option == SocketOption::kLingerSeconds) return SetLinger(fd, value);
  if (option == SocketOption::kMulticastTtlV4 && (value < 0 || value > 255)) {
    return NodeErrno(EINVAL);
  }
  const Place place = PlaceOf(option);
  const bool writable = option < SocketOption::kOnlyV6 && place.name != 0;
  return writable ? Set(fd, place.level, place.name, static_cast<DWORD>(value))
                  : NodeErrno(ENOTSUP);
}

int32_t GetOption(int fd, SocketOption option, int32_t* value) {
  switch (option) {
    case SocketOption::kKeepAliveSeconds:
      return GetKeepAlive(fd, value);
    case SocketOption::kLingerSeconds:
      return GetLinger(fd, value);
    case SocketOption::kType:
    case SocketOption::kFamily:
      return GetKind(fd, option, value);
    default: {
      const Place place = PlaceOf(option);
      return place.name != 0 ? GetInteger(fd, place.level, place.name, value) : NodeErrno(ENOTSUP);
    }
  }
}

int32_t SetRawOption(int fd, int level, int name, const void* value, size_t size) {
  const int returned = setsockopt(ToSocket(fd), level, name, static_cast<const char*>(value),
                                  static_cast<int>(size));
  return returned == 0 ? 0 : LastNodeErrno();
}

}  // namespace sideport
