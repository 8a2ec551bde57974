// What is not there on Windows: Unix-domain sockets, whose names this project's sockets cannot carry
// there.

#include <cerrno>

#include "errors.h"
#include "kernel_address.h"
#include "unix_socket.h"

namespace sideport {

bool ToUnixAddress(const uint8_t*, size_t, KernelAddress*) { return false; }
size_t UnixName(const KernelAddress&, uint8_t*) { return 0; }

int32_t OpenUnixSocket(UnixSocketType) { return NodeErrno(ENOTSUP); }
int32_t BindUnixSocket(int, const uint8_t*, size_t) { return NodeErrno(ENOTSUP); }
int32_t ConnectUnixSocket(int, const uint8_t*, size_t) { return NodeErrno(ENOTSUP); }
int32_t OpenUnixPair(UnixSocketType, int*) { return NodeErrno(ENOTSUP); }
int32_t UnixSocketName(int, bool, uint8_t*) { return NodeErrno(ENOTSUP); }

}  // namespace sideport
