// The two rings that io_uring shares with this process, by raw system calls.
//
//   NextEntry() ──► submission ring ──Enter()──► kernel ──► completion ring ──► Pop()
//
// One thread does everything, and the kernel relies on it (IORING_SETUP_SINGLE_ISSUER): the thread
// that opened the queue. With IORING_SETUP_DEFER_TASKRUN the kernel works for the ring only inside
// this thread's io_uring_enter. So nothing is received and no completion appears behind our back,
// and no memory handed to an operation is touched after the last Enter.
#pragma once

#include <linux/io_uring.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace sideport {

// What the headers of Linux 5.15 lack, by the kernel that brought it. The values are its ABI.
// clang-format off
namespace uring {
inline constexpr uint32_t kSetupSubmitAll = 1u << 7;      // 5.18
inline constexpr uint32_t kSetupCoopTaskrun = 1u << 8;    // 5.19
inline constexpr uint32_t kSetupTaskrunFlag = 1u << 9;    // 5.19
inline constexpr uint32_t kSetupSingleIssuer = 1u << 12;  // 6.0
inline constexpr uint32_t kSetupDeferTaskrun = 1u << 13;  // 6.1
inline constexpr uint32_t kSqTaskrun = 1u << 2;           // 5.19
inline constexpr uint8_t kEntrySkipSuccess = 1u << 6;     // 5.17, IOSQE_CQE_SKIP_SUCCESS
inline constexpr uint16_t kPollFirst = 1u << 0;           // 5.19, IORING_RECVSEND_POLL_FIRST
inline constexpr uint16_t kReceiveMultishot = 1u << 1;    // 6.0
inline constexpr uint16_t kAcceptMultishot = 1u << 0;     // 5.19
inline constexpr uint32_t kCancelAll = 1u << 0;           // 5.19
inline constexpr uint32_t kCancelAny = 1u << 2;           // 5.19
inline constexpr unsigned kRegisterBufferRing = 22;       // 5.19, IORING_REGISTER_PBUF_RING
inline constexpr unsigned kUnregisterBufferRing = 23;     // 5.19

// What a multishot recvmsg puts before the sender's address, for which it keeps the room asked for.
struct ReceivedMessage {  // io_uring_recvmsg_out, 6.0
  uint32_t name_length;
  uint32_t control_length;
  uint32_t payload_length;  // of the datagram, also of what did not fit
  uint32_t flags;
};
static_assert(sizeof(ReceivedMessage) == 16);

struct BufferRingEntry {  // io_uring_buf
  uint64_t address;
  uint32_t length;
  uint16_t id;
  uint16_t tail;  // of the whole ring, in entry 0 only; what lies there in the others is unused
};
static_assert(sizeof(BufferRingEntry) == 16);

struct BufferRingRegistration {  // io_uring_buf_reg
  uint64_t ring_address;
  uint32_t ring_entries;
  uint16_t group;
  uint16_t flags;
  uint64_t reserved[3];
};
static_assert(sizeof(BufferRingRegistration) == 40);
}  // namespace uring
// clang-format on

// Fills in an entry that polls for `events` once.
void DescribePoll(uint32_t events, io_uring_sqe* entry);

// The request ended without an outcome, and is to be made anew. By a signal; or because the kernel
// waits for a socket only so often on behalf of one request (128 wakes in vain, many streams sharing
// the memory of TCP), then tries in a thread of its own, where a non-blocking socket says EAGAIN.
inline bool IsInconclusive(int32_t result) { return result == -EINTR || result == -EAGAIN; }

using SteadyClock = std::chrono::steady_clock;

inline int64_t NanosecondsUntil(SteadyClock::time_point until) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(until - SteadyClock::now()).count();
}

class UringQueue {
 public:
  // Throws std::system_error naming the call that the kernel refused.
  UringQueue(uint32_t submission_entries, uint32_t completion_entries);
  ~UringQueue();
  UringQueue(const UringQueue&) = delete;
  UringQueue& operator=(const UringQueue&) = delete;

  // A zeroed entry for the next Enter, or nullptr: the ring is full and the kernel takes none now.
  io_uring_sqe* NextEntry();

  // The oldest completion, or false. Without a system call.
  bool Pop(io_uring_cqe* completion);
  bool HasCompletions() const;

  // Everything that the kernel has completed so far, still to be popped: taken out of the ring, with
  // what did not fit into it.
  const std::deque<io_uring_cqe>& TakeIn();

  // Whether an Enter without waiting would do anything.
  bool HasWork() const;

  // Submits, lets the kernel work, and waits for a completion for at most wait_ns (0: does not
  // wait). May return early for many reasons, a signal or want of memory among them. 0 or a negative
  // errno, which tells a probe what is wrong; what was not submitted stays for the next Enter.
  int32_t Enter(int64_t wait_ns);

  // 0 or a negative errno.
  int32_t Register(unsigned opcode, const void* argument, unsigned count);

 private:
  void Map(const io_uring_params& params);
  void Unmap();
  bool PopFromRing(io_uring_cqe* completion);
  // Publishes the entries that NextEntry gave out; returns how many the kernel has not taken.
  uint32_t Publish();
  int32_t Call(uint32_t to_submit, uint32_t to_complete, uint32_t flags, int64_t wait_ns);

  int fd_ = -1;
  void* rings_ = nullptr;  // both, in one mapping
  size_t rings_size_ = 0;
  io_uring_sqe* entries_ = nullptr;
  size_t entries_size_ = 0;

  // In the shared mapping. Each index is written by one side only.
  uint32_t* submission_head_ = nullptr;  // kernel
  uint32_t* submission_tail_ = nullptr;  // we
  uint32_t* submission_flags_ = nullptr;
  uint32_t* completion_head_ = nullptr;  // we
  uint32_t* completion_tail_ = nullptr;  // kernel
  io_uring_cqe* completions_ = nullptr;

  uint32_t submission_mask_ = 0;
  uint32_t completion_mask_ = 0;
  uint32_t prepared_tail_ = 0;  // entries given out, up to here
  std::deque<io_uring_cqe> taken_in_;
};

}  // namespace sideport
