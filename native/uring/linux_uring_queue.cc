#include "uring/linux_uring_queue.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

namespace sideport {
namespace {

constexpr int64_t kPauseNs = 1'000'000;

[[noreturn]] void Throw(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

// The ordering of both rings: an index is published after what it covers and read before it.
uint32_t LoadAcquire(const uint32_t* index) { return __atomic_load_n(index, __ATOMIC_ACQUIRE); }
void StoreRelease(uint32_t* index, uint32_t value) {
  __atomic_store_n(index, value, __ATOMIC_RELEASE);
}

void* MapRing(int fd, size_t size, uint64_t offset) {
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                            static_cast<off_t>(offset));
  if (memory == MAP_FAILED) Throw(errno, "mmap of io_uring's rings");
  // A child between fork and exec would keep the rings, and with them all that is in flight, alive.
  madvise(memory, size, MADV_DONTFORK);
  return memory;
}

}  // namespace

void DescribePoll(uint32_t events, io_uring_sqe* entry) {
  entry->opcode = IORING_OP_POLL_ADD;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  events = events << 16 | events >> 16;  // its ABI: two halves, in little-endian order
#endif
  entry->poll32_events = events;
}

UringQueue::UringQueue(uint32_t submission_entries, uint32_t completion_entries) {
  io_uring_params params{};
  params.flags = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE | uring::kSetupSubmitAll |
                 uring::kSetupCoopTaskrun | uring::kSetupTaskrunFlag | uring::kSetupSingleIssuer |
                 uring::kSetupDeferTaskrun;
  params.cq_entries = completion_entries;
  // The kernel makes the descriptor close-on-exec.
  fd_ = static_cast<int>(syscall(__NR_io_uring_setup, submission_entries, &params));
  if (fd_ < 0) {
    const bool too_old = errno == EINVAL;
    Throw(errno, too_old ? "io_uring_setup (Linux before 6.1 lacks a flag)" : "io_uring_setup");
  }
  try {
    // Whoever knows DEFER_TASKRUN has them all; a kernel with some of them compiled out is not ours.
    constexpr uint32_t kNeeded = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG;
    if ((params.features & kNeeded) != kNeeded) Throw(ENOTSUP, "io_uring's features");
    Map(params);
  } catch (...) {
    Unmap();
    close(fd_);
    throw;
  }
}

// Unmapped first: the mapping alone keeps a ring alive, and what is in flight in it, although its
// descriptor is closed.
UringQueue::~UringQueue() {
  Unmap();
  close(fd_);
}

void UringQueue::Map(const io_uring_params& params) {
  const size_t submissions = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
  const size_t completions = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  const size_t size = submissions > completions ? submissions : completions;
  rings_ = MapRing(fd_, size, IORING_OFF_SQ_RING);
  rings_size_ = size;
  const size_t entries_size = params.sq_entries * sizeof(io_uring_sqe);
  entries_ = static_cast<io_uring_sqe*>(MapRing(fd_, entries_size, IORING_OFF_SQES));
  entries_size_ = entries_size;

  auto* const base = static_cast<uint8_t*>(rings_);
  const auto word = [base](uint32_t offset) { return reinterpret_cast<uint32_t*>(base + offset); };
  submission_head_ = word(params.sq_off.head);
  submission_tail_ = word(params.sq_off.tail);
  submission_flags_ = word(params.sq_off.flags);
  submission_mask_ = *word(params.sq_off.ring_mask);
  completion_head_ = word(params.cq_off.head);
  completion_tail_ = word(params.cq_off.tail);
  completion_mask_ = *word(params.cq_off.ring_mask);
  completions_ = reinterpret_cast<io_uring_cqe*>(base + params.cq_off.cqes);
  prepared_tail_ = *submission_tail_;
  // The ring holds places in the entries' array, which may be in any order. Ours never change.
  uint32_t* const places = word(params.sq_off.array);
  for (uint32_t at = 0; at < params.sq_entries; at++) places[at] = at;
}

void UringQueue::Unmap() {
  if (entries_ != nullptr) munmap(entries_, entries_size_);
  if (rings_ != nullptr) munmap(rings_, rings_size_);
}

io_uring_sqe* UringQueue::NextEntry() {
  const auto is_full = [this] {
    return prepared_tail_ - LoadAcquire(submission_head_) > submission_mask_;
  };
  if (is_full()) Call(Publish(), 0, 0, 0);
  if (is_full()) return nullptr;
  io_uring_sqe* const entry = &entries_[prepared_tail_++ & submission_mask_];
  std::memset(entry, 0, sizeof(*entry));
  return entry;
}

bool UringQueue::HasCompletions() const {
  return !taken_in_.empty() || *completion_head_ != LoadAcquire(completion_tail_);
}

bool UringQueue::Pop(io_uring_cqe* completion) {
  if (!taken_in_.empty()) {
    *completion = taken_in_.front();
    taken_in_.pop_front();
    return true;
  }
  return PopFromRing(completion);
}

bool UringQueue::PopFromRing(io_uring_cqe* completion) {
  const uint32_t head = *completion_head_;
  if (head == LoadAcquire(completion_tail_)) return false;
  *completion = completions_[head & completion_mask_];
  StoreRelease(completion_head_, head + 1);
  return true;
}

const std::deque<io_uring_cqe>& UringQueue::TakeIn() {
  for (;;) {
    io_uring_cqe completion;
    while (PopFromRing(&completion)) taken_in_.push_back(completion);
    // The kernel keeps what found the ring full, and moves it there when asked for events.
    if ((__atomic_load_n(submission_flags_, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) == 0) break;
    if (Call(0, 0, IORING_ENTER_GETEVENTS, 0) < 0) break;
  }
  return taken_in_;
}

bool UringQueue::HasWork() const {
  const uint32_t flags = __atomic_load_n(submission_flags_, __ATOMIC_RELAXED);
  return (flags & (uring::kSqTaskrun | IORING_SQ_CQ_OVERFLOW)) != 0 ||
         prepared_tail_ != LoadAcquire(submission_head_);
}

uint32_t UringQueue::Publish() {
  StoreRelease(submission_tail_, prepared_tail_);
  return prepared_tail_ - LoadAcquire(submission_head_);
}

int32_t UringQueue::Enter(int64_t wait_ns) {
  const uint32_t to_submit = Publish();
  // While completions wait to be taken the kernel need not make more: it works at the next Enter.
  if (HasCompletions()) return to_submit > 0 ? Call(to_submit, 0, 0, 0) : 0;
  const uint32_t to_complete = wait_ns > 0 ? 1 : 0;
  const int32_t result = Call(to_submit, to_complete, IORING_ENTER_GETEVENTS, wait_ns);
  // No memory for requests, or for completions: asking again at once would spin. What is in flight
  // may give some back.
  if ((result == -EAGAIN || result == -EBUSY) && wait_ns > 0) {
    Call(0, 1, IORING_ENTER_GETEVENTS, wait_ns < kPauseNs ? wait_ns : kPauseNs);
  }
  return result < 0 ? result : 0;
}

int32_t UringQueue::Call(uint32_t to_submit, uint32_t to_complete, uint32_t flags,
                         int64_t wait_ns) {
  __kernel_timespec timeout{wait_ns / 1'000'000'000, wait_ns % 1'000'000'000};
  io_uring_getevents_arg argument{};
  argument.sigmask_sz = _NSIG / 8;
  argument.ts = wait_ns > 0 ? reinterpret_cast<uint64_t>(&timeout) : 0;
  const long result = syscall(__NR_io_uring_enter, fd_, to_submit, to_complete,
                              flags | IORING_ENTER_EXT_ARG, &argument, sizeof(argument));
  return result < 0 ? -errno : static_cast<int32_t>(result);
}

int32_t UringQueue::Register(unsigned opcode, const void* argument, unsigned count) {
  const long result = syscall(__NR_io_uring_register, fd_, opcode, argument, count);
  return result < 0 ? -errno : static_cast<int32_t>(result);
}

}  // namespace sideport
