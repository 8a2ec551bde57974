// Addresses in the kernel's form, and how they become wire addresses and back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "completion_port.h"
#include "port/platform_socket.h"

namespace sideport {

struct KernelAddress {
  sockaddr_storage storage;
  socklen_t length;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// False when the wire address has no family, or one that has no room in it.
bool ToKernel(const WireAddress& wire, KernelAddress* out);
// Family 0 for anything but IPv4 and IPv6.
WireAddress ToWire(const KernelAddress& address);

// False when the name is too long. An empty one is the address of no socket; a leading zero byte makes
// it abstract, which only Linux knows.
bool ToUnixAddress(const uint8_t* name, size_t length, KernelAddress* out);
// Bytes of the name; 0 for a socket that has none. `name` holds kUnixNameLimit bytes.
size_t UnixName(const KernelAddress& address, uint8_t* name);

}  // namespace sideport
