#include "uring/linux_uring_probe.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "uring/linux_uring_buffers.h"
#include "uring/linux_uring_queue.h"

namespace sideport {
namespace {

constexpr int64_t kPatienceNs = 100'000'000;
constexpr int kAttempts = 10;
constexpr int32_t kGroup = 0;
constexpr uint64_t kProbed = 1;
constexpr uint64_t kCancellation = 2;

[[noreturn]] void Fail(int32_t error, const char* what) {
  throw std::system_error(error < 0 ? -error : error, std::generic_category(), what);
}

class ScopedDescriptor {
 public:
  explicit ScopedDescriptor(int fd) : fd_(fd) {
    if (fd < 0) Fail(errno, "io_uring's probe: socket");
  }
  ~ScopedDescriptor() { close(fd_); }
  ScopedDescriptor(const ScopedDescriptor&) = delete;
  ScopedDescriptor& operator=(const ScopedDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

io_uring_cqe Next(UringQueue* queue, const char* what) {
  io_uring_cqe completion{};
  for (int attempt = 0; !queue->Pop(&completion); attempt++) {
    const int32_t error = queue->Enter(kPatienceNs);
    // Submitted without waiting, or interrupted by a signal: neither says anything of the kernel.
    const bool inconclusive = error == 0 || error == -EINTR;
    if (inconclusive && attempt < kAttempts) continue;
    if (!queue->HasCompletions()) Fail(error < 0 ? error : ETIMEDOUT, what);
  }
  return completion;
}

// The first completion of the multishot request just prepared; it must promise more.
io_uring_cqe FirstOfMany(UringQueue* queue, const char* what) {
  const io_uring_cqe completion = Next(queue, what);
  if (completion.res < 0) Fail(completion.res, what);
  if ((completion.flags & IORING_CQE_F_MORE) == 0) Fail(ENOTSUP, what);
  return completion;
}

void CancelEverything(UringQueue* queue) {
  io_uring_sqe* const entry = queue->NextEntry();
  entry->opcode = IORING_OP_ASYNC_CANCEL;
  entry->fd = -1;
  entry->cancel_flags = uring::kCancelAll | uring::kCancelAny;
  entry->flags = uring::kEntrySkipSuccess;
  entry->user_data = kCancellation;
  const io_uring_cqe completion = Next(queue, "io_uring: cancelling");
  if (completion.user_data == kCancellation) Fail(completion.res, "io_uring: cancelling");
}

void ProbeReceive(UringQueue* queue) {
  constexpr char kWhat[] = "io_uring: multishot receive";
  uint8_t memory[64];
  BufferGroups groups;
  groups.AddSegment(0, memory, sizeof(memory), 1);
  UringBuffers buffers(&groups);
  buffers.Provide(queue, kGroup, 0, 0);
  UringGroup* const group = buffers.BeginReceive(kGroup);
  if (group->refused) Fail(errno, "io_uring: buffer ring");
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
    Fail(errno, kWhat);
  }
  const ScopedDescriptor ours(pair[0]);
  const ScopedDescriptor peer(pair[1]);
  io_uring_sqe* const entry = queue->NextEntry();
  entry->opcode = IORING_OP_RECV;
  entry->fd = ours.get();
  entry->flags = IOSQE_BUFFER_SELECT;
  entry->buf_group = group->id;
  entry->ioprio = uring::kPollFirst | uring::kReceiveMultishot;
  entry->user_data = kProbed;
  const char sent = 'x';
  if (write(peer.get(), &sent, 1) != 1) Fail(errno, kWhat);
  const io_uring_cqe completion = FirstOfMany(queue, kWhat);
  const bool has_buffer = (completion.flags & IORING_CQE_F_BUFFER) != 0;
  if (completion.res != 1 || !has_buffer || memory[0] != sent) Fail(ENOTSUP, kWhat);
  CancelEverything(queue);
  buffers.EndReceive(group);
  buffers.Clear(queue);
}

// On a local socket: a system without a network has io_uring all the same.
void ProbeAccept(UringQueue* queue) {
  constexpr char kWhat[] = "io_uring: multishot accept";
  constexpr int kType = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  const ScopedDescriptor listener(socket(AF_UNIX, kType, 0));
  const ScopedDescriptor client(socket(AF_UNIX, kType, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  // unix(7): bound to a family alone, the kernel invents an abstract name.
  socklen_t length = sizeof(address.sun_family);
  if (bind(listener.get(), generic, length) != 0) Fail(errno, kWhat);
  length = sizeof(address);
  if (getsockname(listener.get(), generic, &length) != 0) Fail(errno, kWhat);
  if (listen(listener.get(), 1) != 0) Fail(errno, kWhat);
  io_uring_sqe* const entry = queue->NextEntry();
  entry->opcode = IORING_OP_ACCEPT;
  entry->fd = listener.get();
  entry->accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  entry->ioprio = uring::kAcceptMultishot;
  entry->user_data = kProbed;
  if (connect(client.get(), generic, length) != 0) Fail(errno, kWhat);
  const ScopedDescriptor accepted(FirstOfMany(queue, kWhat).res);
  CancelEverything(queue);
}

}  // namespace

void ProbeUring() {
  UringQueue queue(8, 16);
  ProbeReceive(&queue);
  ProbeAccept(&queue);
}

}  // namespace sideport
