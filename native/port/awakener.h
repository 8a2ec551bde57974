// The awakener: makes a port's current or next wait return, from any thread.
//
// Linux has an eventfd, every POSIX system a pipe; both are a descriptor that becomes readable. The
// reasons travel beside it, in one atomic word, and only the wake that makes the word nonzero makes
// the system call.
#pragma once

#include <atomic>
#include <cstdint>

namespace sideport {

class Awakener {
 public:
  enum class Kind { kEventFd, kPipe };

  // Throws std::system_error when the descriptors cannot be had.
  explicit Awakener(Kind kind);
  ~Awakener();
  Awakener(const Awakener&) = delete;
  Awakener& operator=(const Awakener&) = delete;

  // Any thread, any time while the object lives. Wakes coalesce until Drain.
  void Wake(int32_t reasons);

  // The port's thread: empties the descriptor and returns the reasons since the last Drain, OR-ed.
  // 0 when a wake was drained between its two halves; its write then makes one wait return early.
  int32_t Drain();

  // The port's thread: whether there are reasons to drain, without a system call.
  bool IsRaised() const { return reasons_.load(std::memory_order_relaxed) != 0; }

  // Readable while a wake is pending; watched by the port.
  int descriptor() const { return read_fd_; }

 private:
  std::atomic<int32_t> reasons_{0};
  int read_fd_ = -1;
  int write_fd_ = -1;  // == read_fd_ for an eventfd
};

}  // namespace sideport
