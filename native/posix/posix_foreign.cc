// named_pipe.h where there are none, and descriptors of other makers.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "errors.h"
#include "named_pipe.h"
#include "socket.h"

namespace sideport {

int32_t CreatePipeInstance(const char16_t*, const PipeFlags&, int) { return NodeErrno(ENOTSUP); }
int32_t OpenPipe(const char16_t*, bool) { return NodeErrno(ENOTSUP); }
int32_t AdoptPipe(int) { return NodeErrno(ENOTSUP); }

// Files and folders are always ready, so that no kernel lets them be waited for (epoll_ctl says EPERM); sockets
// have sources of their own.
int32_t AdoptForeign(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return LastNodeErrno();
  const bool pollable = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) ||
                        // eventfd, timerfd, signalfd, inotify
                        (status.st_mode & S_IFMT) == 0;
  if (!pollable) return NodeErrno(EINVAL);
  SetCloseOnExecAndNonBlocking(fd);
  return 0;
}

}  // namespace sideport
