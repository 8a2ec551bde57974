// The awakener: makes a port's current or next wait return, from any thread.
//
// The reasons travel in one atomic word, and only the wake that makes the word nonzero signals the
// port. How it does so is the backend's: a descriptor that becomes readable
// (posix/descriptor_awakener.h), a packet in the completion port itself (windows/windows_awakener.h).
#pragma once

#include <atomic>
#include <cstdint>

namespace sideport {

class Awakener {
 public:
  Awakener() = default;
  Awakener(const Awakener&) = delete;
  Awakener& operator=(const Awakener&) = delete;
  virtual ~Awakener() = default;

  // Any thread, any time while the object lives. Wakes coalesce until Drain: only the first one
  // after it signals.
  void Wake(int32_t reasons) {
    if (reasons != 0 && reasons_.fetch_or(reasons) == 0) Signal();
  }

  // The port's thread: takes the signal back and returns the reasons since the last Drain, OR-ed.
  // 0 when a wake was drained between its two halves; its signal then makes one wait return early.
  //
  // The signal is taken back before the reasons are. A wake between the two finds reasons_ still
  // nonzero and does not signal, and its reason is taken here; a wake after both signals anew. In the
  // other order a wake in between would signal, have its signal swallowed and leave reasons_ nonzero:
  // no later wake would signal again, and all would be slept over.
  int32_t Drain() {
    Unsignal();
    return reasons_.exchange(0);
  }

  // The port's thread: whether there are reasons to drain, without a system call.
  bool IsRaised() const { return reasons_.load(std::memory_order_relaxed) != 0; }

 private:
  // Makes the current or the next wait return. Any thread.
  virtual void Signal() = 0;
  // The port's thread. Without effect when a wait has taken the signal already.
  virtual void Unsignal() = 0;

  std::atomic<int32_t> reasons_{0};
};

}  // namespace sideport
