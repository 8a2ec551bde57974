#include "posix/descriptor_awakener.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "socket.h"
#ifdef __linux__
#include <sys/eventfd.h>
#endif

namespace sideport {

DescriptorAwakener::DescriptorAwakener(Kind kind) {
#ifdef __linux__
  if (kind == Kind::kEventFd) {
    read_fd_ = write_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (read_fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    return;
  }
#endif
  int fds[2];
  // Not pipe2, which macOS lacks: a fork between the two calls inherits the pipe.
  if (pipe(fds) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  read_fd_ = fds[0];
  write_fd_ = fds[1];
  SetCloseOnExecAndNonBlocking(read_fd_);
  SetCloseOnExecAndNonBlocking(write_fd_);
}

DescriptorAwakener::~DescriptorAwakener() {
  close(read_fd_);
  if (write_fd_ != read_fd_) close(write_fd_);
}

// The descriptor stays readable until Unsignal. A full pipe (EAGAIN) is readable as well, so no other
// outcome of the write matters.
void DescriptorAwakener::Signal() {
  const uint64_t one = 1;  // an eventfd takes eight bytes, a pipe any number
  const size_t size = write_fd_ == read_fd_ ? sizeof(one) : 1;
  while (write(write_fd_, &one, size) < 0 && errno == EINTR) {
  }
}

void DescriptorAwakener::Unsignal() {
  uint64_t sink;
  while (read(read_fd_, &sink, sizeof(sink)) < 0 && errno == EINTR) {
  }
}

}  // namespace sideport
