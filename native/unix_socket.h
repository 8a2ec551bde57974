// Unix-domain sockets: named by a path, or on Linux by an abstract name, which begins with a zero byte.
// Results are Node's negative errno, or 0 or what the call returns. A system without them says -ENOTSUP.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sideport {

enum class UnixSocketType : int32_t { kStream = 1, kDatagram = 2 };

// A non-blocking socket, closed on exec.
int32_t OpenUnixSocket(UnixSocketType type);
int32_t BindUnixSocket(int fd, const uint8_t* name, size_t length);
// At once: a Unix socket connects or does not. -EAGAIN when a listener's backlog is full.
int32_t ConnectUnixSocket(int fd, const uint8_t* name, size_t length);
// Two sockets connected with each other.
int32_t OpenUnixPair(UnixSocketType type, int* fds);
// Bytes of the socket's name, or its peer's, in `name` (kUnixNameLimit bytes); 0 when it has none.
int32_t UnixSocketName(int fd, bool peer, uint8_t* name);

}  // namespace sideport
