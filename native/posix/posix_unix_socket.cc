#include <sys/socket.h>

#include <cerrno>

#include "errors.h"
#include "kernel_address.h"
#include "posix/posix_socket.h"
#include "unix_socket.h"

namespace sideport {
namespace {

int TypeOf(UnixSocketType type) {
  return type == UnixSocketType::kStream ? SOCK_STREAM : SOCK_DGRAM;
}

}  // namespace

int32_t OpenUnixSocket(UnixSocketType type) { return OpenSocket(AF_UNIX, TypeOf(type)); }

int32_t BindUnixSocket(int fd, const uint8_t* name, size_t length) {
  KernelAddress address;
  if (!ToUnixAddress(name, length, &address)) return NodeErrno(ENAMETOOLONG);
  return bind(fd, address.get(), address.length) == 0 ? 0 : LastNodeErrno();
}

int32_t ConnectUnixSocket(int fd, const uint8_t* name, size_t length) {
  KernelAddress address;
  if (!ToUnixAddress(name, length, &address)) return NodeErrno(ENAMETOOLONG);
  int result;
  do {
    result = connect(fd, address.get(), address.length);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : LastNodeErrno();
}

int32_t OpenUnixPair(UnixSocketType type, int* fds) {
#ifdef SOCK_CLOEXEC
  const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
#else
  const int flags = 0;
#endif
  if (socketpair(AF_UNIX, TypeOf(type) | flags, 0, fds) != 0) return LastNodeErrno();
  for (int at = 0; at < 2; at++) PrepareSocket(fds[at]);
  return 0;
}

int32_t UnixSocketName(int fd, bool peer, uint8_t* name) {
  KernelAddress address{};
  address.length = sizeof(address.storage);
  const int result = peer ? getpeername(fd, address.get(), &address.length)
                          : getsockname(fd, address.get(), &address.length);
  if (result != 0) return LastNodeErrno();
  return static_cast<int32_t>(UnixName(address, name));
}

}  // namespace sideport
