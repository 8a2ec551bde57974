// The awakener of a port that waits for descriptors. Linux has an eventfd, every POSIX system a pipe;
// both are a descriptor that is readable from the signal on.
#pragma once

#include "port/awakener.h"

namespace sideport {

class DescriptorAwakener final : public Awakener {
 public:
  enum class Kind { kEventFd, kPipe };

  // Throws std::system_error when the descriptors cannot be had.
  explicit DescriptorAwakener(Kind kind);
  ~DescriptorAwakener() override;

  // Readable while a wake is pending; watched by the port.
  int descriptor() const { return read_fd_; }

 private:
  void Signal() override;
  void Unsignal() override;

  int read_fd_ = -1;
  int write_fd_ = -1;  // == read_fd_ for an eventfd
};

}  // namespace sideport
