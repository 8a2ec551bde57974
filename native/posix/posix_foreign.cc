// named_pipe.h where there are none, and descriptors of other makers.
#include "posix/posix_foreign.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "errors.h"
#include "named_pipe.h"
#include "socket.h"
#ifdef __linux__
#include <sys/epoll.h>
#endif

namespace sideport {
namespace {

// Files and folders are always ready, so that no kernel lets them be waited for.
#ifdef __linux__
int32_t CheckPollable(int fd) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return LastNodeErrno();
  epoll_event event{};
  const int32_t error = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : LastNodeErrno();
  close(epoll);
  return error == NodeErrno(EPERM) ? NodeErrno(EINVAL) : error;
}
#else
int32_t CheckPollable(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return LastNodeErrno();
  return S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) ? 0 : NodeErrno(EINVAL);
}
#endif

template <typename Call>
int32_t Uninterrupted(const Call& call) {
  ssize_t count;
  do {
    count = call();
  } while (count < 0 && errno == EINTR);
  return count < 0 ? LastNodeErrno() : static_cast<int32_t>(count);
}

}  // namespace

int32_t CreatePipeInstance(const char16_t*, const PipeFlags&, int) { return NodeErrno(ENOTSUP); }
int32_t OpenPipe(const char16_t*, bool) { return NodeErrno(ENOTSUP); }
int32_t AdoptPipe(int) { return NodeErrno(ENOTSUP); }

// Sockets have sources of their own.
int32_t ForeignAccess(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return LastNodeErrno();
  if (S_ISSOCK(status.st_mode)) return NodeErrno(EINVAL);
  if (const int32_t error = CheckPollable(fd); error != 0) return error;
  switch (fcntl(fd, F_GETFL) & O_ACCMODE) {
    case O_RDONLY:
      return kMayRead;
    case O_WRONLY:
      return kMayWrite;
    default:
      return kMayRead | kMayWrite;
  }
}

int32_t AdoptForeign(int fd) {
  SetCloseOnExecAndNonBlocking(fd);
  return 0;
}

int32_t ReceiveAny(Endpoint* endpoint, uint8_t* into, size_t size) {
  if (!endpoint->is_foreign) {
    const int32_t result = Receive(endpoint->fd, into, size);
    if (result != NodeErrno(ENOTSOCK)) return result;
    endpoint->is_foreign = true;
  }
  return Uninterrupted([&] { return read(endpoint->fd, into, size); });
}

// A pipe that nobody reads raises SIGPIPE here, which Node ignores from its start; so it is EPIPE.
int32_t SendAny(Endpoint* endpoint, const SendPiece* pieces, size_t count) {
  if (!endpoint->is_foreign) {
    const int32_t result = SendVector(endpoint->fd, pieces, count);
    if (result != NodeErrno(ENOTSOCK)) return result;
    endpoint->is_foreign = true;
  }
  return Uninterrupted([&] { return writev(endpoint->fd, pieces, static_cast<int>(count)); });
}

}  // namespace sideport
