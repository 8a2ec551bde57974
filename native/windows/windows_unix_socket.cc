// unix_socket.h where there are none: Windows has Unix-domain streams of its own kind, which neither Node
// nor mio offers; named pipes are what programs use there.

#include <cerrno>

#include "errors.h"
#include "kernel_address.h"
#include "unix_socket.h"

namespace sideport {

int32_t OpenUnixSocket(UnixSocketType) { return NodeErrno(ENOTSUP); }
int32_t BindUnixSocket(int, const uint8_t*, size_t) { return NodeErrno(ENOTSUP); }
int32_t ConnectUnixSocket(int, const uint8_t*, size_t) { return NodeErrno(ENOTSUP); }
int32_t OpenUnixPair(UnixSocketType, int*) { return NodeErrno(ENOTSUP); }
int32_t UnixSocketName(int, bool, uint8_t*) { return NodeErrno(ENOTSUP); }

bool ToUnixAddress(const uint8_t*, size_t, KernelAddress*) { return false; }
size_t UnixName(const KernelAddress&, uint8_t*) { return 0; }

}  // namespace sideport
