// Socket addresses between the wire's form and the kernel's, which is the same on every system.

#include "kernel_address.h"

#include <cstring>

namespace sideport {

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

}  // namespace sideport
