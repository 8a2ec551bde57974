// Socket options, each a number that JavaScript names it by (src/protocol/socket-options.ts).
#pragma once

#include <cstddef>
#include <cstdint>

#include "completion_port.h"

namespace sideport {

// clang-format off
enum class SocketOption : int32_t {
  // Both ways. Booleans are 0 and 1.
  kReceiveBufferSize = 1,  // bytes; a kernel may cap or double them
  kSendBufferSize = 2,
  kBroadcast = 3,
  kKeepAliveSeconds = 4,   // idle time before the first probe; 0 = off
  kLingerSeconds = 5,      // SO_LINGER; -1 = off. CloseSocket never waits for it.
  kMulticastLoopV4 = 6,
  kMulticastLoopV6 = 7,
  kMulticastTtlV4 = 8,
  kMulticastHopsV6 = 9,
  kReuseAddress = 10,
  // Read only.
  kOnlyV6 = 32,
  kType = 33,              // 1 stream, 2 datagram
  kFamily = 34,            // 4, 6, kUnixFamily, or -EAFNOSUPPORT
  kIsListening = 35,
  kDrops = 36,             // datagrams that the kernel has dropped on the socket's way in, modulo 2^32 as
                           // an int32; -ENOTSUP where it does not say
};
// clang-format on

// What the system lacks is -ENOTSUP, what no system has -EINVAL.
int32_t SetOption(int fd, SocketOption option, int32_t value);
// `*value` is set when the result is 0.
int32_t GetOption(int fd, SocketOption option, int32_t* value);

// One of the system's own options.
int32_t SetRawOption(int fd, int level, int name, const void* value, size_t size);

// A group is named with the interface: its address for IPv4 (0.0.0.0: the system's choice), its index,
// the scope id of `via`, for IPv6. `source` is nullptr for a membership of any source.
int32_t ChangeMembership(int fd, bool join, const WireAddress& group, const WireAddress& via,
                         const WireAddress* source);
int32_t SetMulticastInterface(int fd, const WireAddress& via);

}  // namespace sideport
