#include "kernel_address.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

namespace sideport {
namespace {

constexpr size_t kNameOffset = offsetof(sockaddr_un, sun_path);

}  // namespace

bool ToKernel(const WireAddress& wire, KernelAddress* out) {
  std::memset(out, 0, sizeof(*out));
  if (wire.family == 4) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&out->storage);
    v4->sin_family = AF_INET;
    std::memcpy(&v4->sin_port, wire.port_be, 2);
    std::memcpy(&v4->sin_addr, wire.address, 4);
    out->length = sizeof(*v4);
    return true;
  }
  if (wire.family != 6) return false;
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out->storage);
  v6->sin6_family = AF_INET6;
  std::memcpy(&v6->sin6_port, wire.port_be, 2);
  std::memcpy(&v6->sin6_addr, wire.address, 16);
  v6->sin6_scope_id = wire.scope_id;
  out->length = sizeof(*v6);
  return true;
}

WireAddress ToWire(const KernelAddress& address) {
  WireAddress wire{};
  if (address.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    wire.family = 4;
    std::memcpy(wire.port_be, &v4->sin_port, 2);
    std::memcpy(wire.address, &v4->sin_addr, 4);
  } else if (address.storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    wire.family = 6;
    std::memcpy(wire.port_be, &v6->sin6_port, 2);
    std::memcpy(wire.address, &v6->sin6_addr, 16);
    wire.scope_id = v6->sin6_scope_id;
  }
  return wire;
}

bool ToUnixAddress(const uint8_t* name, size_t length, KernelAddress* out) {
  std::memset(out, 0, sizeof(*out));
  const bool abstract = length > 0 && name[0] == 0;
  // A path ends with a zero, which counts; an abstract name ends where its length says.
  const size_t used = abstract || length == 0 ? length : length + 1;
  if (used > sizeof(sockaddr_un::sun_path)) return false;
  auto* const address = reinterpret_cast<sockaddr_un*>(&out->storage);
  address->sun_family = AF_UNIX;
  std::memcpy(address->sun_path, name, length);
  out->length = static_cast<socklen_t>(kNameOffset + used);
  return true;
}

size_t UnixName(const KernelAddress& address, uint8_t* name) {
  if (address.storage.ss_family != AF_UNIX || address.length <= kNameOffset) return 0;
  const auto* const local = reinterpret_cast<const sockaddr_un*>(&address.storage);
  size_t length = address.length - kNameOffset;
  if (length > kUnixNameLimit) length = kUnixNameLimit;
  // Systems differ in whether the final zero of a path counts.
  if (local->sun_path[0] != 0) length = strnlen(local->sun_path, length);
  std::memcpy(name, local->sun_path, length);
  return length;
}

}  // namespace sideport
