// What is not there on Windows: Unix-domain sockets, whose names this project's sockets cannot carry
// there, and, until the completion port receives and sends datagrams, datagram sockets.

#include <cerrno>

#include "datagram.h"
#include "errors.h"
#include "kernel_address.h"
#include "socket.h"
#include "unix_socket.h"

namespace sideport {

bool ToUnixAddress(const uint8_t*, size_t, KernelAddress*) { return false; }
size_t UnixName(const KernelAddress&, uint8_t*) { return 0; }

int32_t OpenUnixSocket(UnixSocketType) { return NodeErrno(ENOTSUP); }
int32_t BindUnixSocket(int, const uint8_t*, size_t) { return NodeErrno(ENOTSUP); }
int32_t ConnectUnixSocket(int, const uint8_t*, size_t) { return NodeErrno(ENOTSUP); }
int32_t OpenUnixPair(UnixSocketType, int*) { return NodeErrno(ENOTSUP); }
int32_t UnixSocketName(int, bool, uint8_t*) { return NodeErrno(ENOTSUP); }

int32_t OpenDatagramSocket(int) { return NodeErrno(ENOTSUP); }
int32_t ConnectDatagram(int, const WireAddress&) { return NodeErrno(ENOTSUP); }
int32_t SendDatagram(int, const uint8_t*, size_t, const KernelAddress*) {
  return NodeErrno(ENOTSUP);
}

}  // namespace sideport
