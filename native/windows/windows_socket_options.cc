// socket_options.h over Winsock.

#include <cerrno>
#include <cstring>

#include "errors.h"
#include "kernel_address.h"
#include "socket_options.h"
#include "windows/windows_errors.h"
#include "windows/windows_winsock.h"

// Windows 10 1709; older headers lack it.
#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE 3
#endif

namespace sideport {
namespace {

struct Place {
  int level = 0;
  int name = 0;
};

// Of the options that are one DWORD; level and name 0 for the others.
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

template <typename Value>
int32_t Set(int fd, int level, int name, const Value& value) {
  const int returned =
      setsockopt(ToSocket(fd), level, name, reinterpret_cast<const char*>(&value), sizeof(value));
  return returned == 0 ? 0 : LastNodeErrno();
}

template <typename Value>
int32_t Get(int fd, int level, int name, Value* value) {
  int length = sizeof(*value);
  const int returned =
      getsockopt(ToSocket(fd), level, name, reinterpret_cast<char*>(value), &length);
  return returned == 0 ? 0 : LastNodeErrno();
}

int32_t SetKeepAlive(int fd, int32_t seconds) {
  if (seconds < 0) return NodeErrno(EINVAL);
  const int32_t error = Set(fd, SOL_SOCKET, SO_KEEPALIVE, DWORD{seconds > 0 ? 1u : 0u});
  if (error != 0 || seconds == 0) return error;
  return Set(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<DWORD>(seconds));
}

int32_t GetKeepAlive(int fd, int32_t* seconds) {
  DWORD value = 0;
  const int32_t error = Get(fd, SOL_SOCKET, SO_KEEPALIVE, &value);
  *seconds = 0;
  if (error != 0 || value == 0) return error;
  const int32_t idle_error = Get(fd, IPPROTO_TCP, TCP_KEEPIDLE, &value);
  *seconds = static_cast<int32_t>(value);
  return idle_error;
}

// By the protocol: a socket that is not bound has no address to tell it by.
int32_t GetFamily(int fd, int32_t* family) {
  WSAPROTOCOL_INFOW information;
  const int32_t error = Get(fd, SOL_SOCKET, SO_PROTOCOL_INFOW, &information);
  if (error != 0) return error;
  if (information.iAddressFamily == AF_INET) {
    *family = 4;
  } else if (information.iAddressFamily == AF_INET6) {
    *family = 6;
  } else {
    return NodeErrno(EAFNOSUPPORT);
  }
  return 0;
}

int32_t GetType(int fd, int32_t* type) {
  int value = 0;
  const int32_t error = Get(fd, SOL_SOCKET, SO_TYPE, &value);
  if (error != 0) return error;
  if (value != SOCK_STREAM && value != SOCK_DGRAM) return NodeErrno(EPROTOTYPE);
  *type = value == SOCK_STREAM ? 1 : 2;
  return 0;
}

}  // namespace

int32_t SetOption(int fd, SocketOption option, int32_t value) {
  switch (option) {
    case SocketOption::kKeepAliveSeconds:
      return SetKeepAlive(fd, value);
    case SocketOption::kLingerSeconds: {
      linger wish{};
      wish.l_onoff = value >= 0 ? 1 : 0;
      wish.l_linger = static_cast<u_short>(value >= 0 ? value : 0);
      return Set(fd, SOL_SOCKET, SO_LINGER, wish);
    }
    default: {
      const Place place = PlaceOf(option);
      const bool writable = option < SocketOption::kOnlyV6 && place.name != 0;
      if (!writable) return NodeErrno(EINVAL);
      return Set(fd, place.level, place.name, static_cast<DWORD>(value));
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
    case SocketOption::kType:
      return GetType(fd, value);
    case SocketOption::kFamily:
      return GetFamily(fd, value);
    case SocketOption::kDrops:
      return NodeErrno(ENOTSUP);
    default: {
      const Place place = PlaceOf(option);
      if (place.name == 0) return NodeErrno(EINVAL);
      DWORD word = 0;
      const int32_t error = Get(fd, place.level, place.name, &word);
      *value = static_cast<int32_t>(word);
      return error;
    }
  }
}

int32_t ChangeMembership(int fd, bool join, const WireAddress& group, const WireAddress& via,
                         const WireAddress* source) {
  if (group.family == 6 && source == nullptr) {
    ipv6_mreq request{};
    std::memcpy(&request.ipv6mr_multiaddr, group.address, 16);
    request.ipv6mr_interface = via.scope_id;
    return Set(fd, IPPROTO_IPV6, join ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP, request);
  }
  if (group.family == 6) {
    GROUP_SOURCE_REQ request{};
    KernelAddress address;
    if (!ToKernel(group, &address)) return NodeErrno(EINVAL);
    request.gsr_interface = via.scope_id;
    std::memcpy(&request.gsr_group, &address.storage, sizeof(request.gsr_group));
    if (!ToKernel(*source, &address)) return NodeErrno(EINVAL);
    std::memcpy(&request.gsr_source, &address.storage, sizeof(request.gsr_source));
    return Set(fd, IPPROTO_IPV6, join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
               request);
  }
  if (group.family != 4) return NodeErrno(EINVAL);
  if (source != nullptr) {
    ip_mreq_source request{};
    std::memcpy(&request.imr_multiaddr, group.address, 4);
    std::memcpy(&request.imr_interface, via.address, 4);
    std::memcpy(&request.imr_sourceaddr, source->address, 4);
    return Set(fd, IPPROTO_IP, join ? IP_ADD_SOURCE_MEMBERSHIP : IP_DROP_SOURCE_MEMBERSHIP,
               request);
  }
  ip_mreq request{};
  std::memcpy(&request.imr_multiaddr, group.address, 4);
  std::memcpy(&request.imr_interface, via.address, 4);
  return Set(fd, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, request);
}

int32_t SetMulticastInterface(int fd, const WireAddress& via) {
  if (via.family == 6) {
    return Set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<DWORD>(via.scope_id));
  }
  in_addr address{};
  std::memcpy(&address, via.address, 4);
  return Set(fd, IPPROTO_IP, IP_MULTICAST_IF, address);
}

}  // namespace sideport
