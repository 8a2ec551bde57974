// socket_options.h over Winsock. What it lacks is -ENOTSUP; so are, until there are datagram sockets here,
// all options of theirs.

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
  const int returned = setsockopt(ToSocket(fd), level, name, reinterpret_cast<const char*>(&value),
                                  static_cast<int>(sizeof(value)));
  return returned == 0 ? 0 : LastNodeErrno();
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

// Of the buffer sizes; 0 for the others.
int BufferOption(SocketOption option) {
  if (option == SocketOption::kReceiveBufferSize) return SO_RCVBUF;
  return option == SocketOption::kSendBufferSize ? SO_SNDBUF : 0;
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
  const int name = BufferOption(option);
  return name != 0 ? Set(fd, SOL_SOCKET, name, static_cast<int>(value)) : NodeErrno(ENOTSUP);
}

int32_t GetOption(int fd, SocketOption option, int32_t* value) {
  switch (option) {
    case SocketOption::kReceiveBufferSize:
    case SocketOption::kSendBufferSize:
      return GetInteger(fd, SOL_SOCKET, BufferOption(option), value);
    case SocketOption::kKeepAliveSeconds:
      return GetKeepAlive(fd, value);
    case SocketOption::kLingerSeconds:
      return GetLinger(fd, value);
    case SocketOption::kOnlyV6:
      return GetInteger(fd, IPPROTO_IPV6, IPV6_V6ONLY, value);
    case SocketOption::kType:
    case SocketOption::kFamily:
      return GetKind(fd, option, value);
    case SocketOption::kIsListening:
      return GetInteger(fd, SOL_SOCKET, SO_ACCEPTCONN, value);
    default:
      return NodeErrno(ENOTSUP);
  }
}

int32_t ChangeMembership(int, bool, const WireAddress&, const WireAddress&, const WireAddress*) {
  return NodeErrno(ENOTSUP);
}

int32_t SetMulticastInterface(int, const WireAddress&) { return NodeErrno(ENOTSUP); }

}  // namespace sideport
