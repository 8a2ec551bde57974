// Memberships of groups, whose options and structures have the same names on every system.

#include <cerrno>
#include <cstring>

#include "errors.h"
#include "kernel_address.h"
#include "socket_options.h"

// The BSDs know the membership options by their first names.
#ifndef IPV6_ADD_MEMBERSHIP
#define IPV6_ADD_MEMBERSHIP IPV6_JOIN_GROUP
#define IPV6_DROP_MEMBERSHIP IPV6_LEAVE_GROUP
#endif

namespace sideport {
namespace {

template <typename Value>
int32_t Set(int fd, int level, int name, const Value& value) {
  return SetRawOption(fd, level, name, &value, sizeof(value));
}

}  // namespace

int32_t ChangeMembership(int fd, bool join, const WireAddress& group, const WireAddress& via,
                         const WireAddress* source) {
  if (group.family == 6 && source == nullptr) {
    ipv6_mreq request{};
    std::memcpy(&request.ipv6mr_multiaddr, group.address, 16);
    request.ipv6mr_interface = via.scope_id;
    return Set(fd, IPPROTO_IPV6, join ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP, request);
  }
  if (group.family == 6) {
#ifdef MCAST_JOIN_SOURCE_GROUP
    group_source_req request{};
    KernelAddress address;
    if (!ToKernel(group, &address)) return NodeErrno(EINVAL);
    request.gsr_interface = via.scope_id;
    request.gsr_group = address.storage;
    if (!ToKernel(*source, &address)) return NodeErrno(EINVAL);
    request.gsr_source = address.storage;
    return Set(fd, IPPROTO_IPV6, join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP,
               request);
#else
    return NodeErrno(ENOTSUP);
#endif
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
    return Set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<unsigned>(via.scope_id));
  }
  in_addr address{};
  std::memcpy(&address, via.address, 4);
  return Set(fd, IPPROTO_IP, IP_MULTICAST_IF, address);
}

}  // namespace sideport
