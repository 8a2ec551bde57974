// The floor of the echo comparison on a completion kernel: one thread, io_uring by raw system
// calls, multishot accept, multishot receive into provided buffers, sends from the same buffers.
// Exit code 77: this kernel, or its policy, does not offer that.
//
//   buffer: in the ring ──receive──► queued on its connection ──send completed──► in the ring
//
// Sends of one connection are made one at a time, since their order is not promised otherwise. A
// receive that found the ring empty waits, its connection in `starved`, for the next buffer that
// comes back.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "support.h"

enum { kEntries = 4096, kBuffers = 64, kBufferBytes = 64 * 1024, kConnections = 16384, kGroup = 1 };
enum { kAccept = 1, kReceive, kSend };

typedef struct {
  uint8_t open, sending, receiving, starved;
  // Buffers received and not yet sent, oldest first: indices into `next_buffer`, or -1.
  int first, last;
} Connection;

static int ring_fd;
static struct io_uring_sqe* sqes;
static uint32_t *sq_tail, *cq_head, *cq_tail, sq_mask, cq_mask, to_submit;
static struct io_uring_cqe* cqes;
static struct io_uring_buf_ring* buffer_ring;
static uint16_t buffer_tail;
static uint8_t* buffers;
static int next_buffer[kBuffers], buffer_length[kBuffers], buffer_sent[kBuffers];
static Connection connections[kConnections];  // by descriptor
static int starved[kConnections], starved_count;

static void Unavailable(const char* what) {
  perror(what);
  exit(77);
}

static int Enter(unsigned wait) {
  const int flags = wait ? IORING_ENTER_GETEVENTS : 0;
  const int submitted = (int)syscall(SYS_io_uring_enter, ring_fd, to_submit, wait, flags, NULL, 0);
  if (submitted > 0) to_submit -= submitted;
  return submitted;
}

static struct io_uring_sqe* NextEntry(int opcode, int fd, int kind) {
  if (to_submit == kEntries) Require(Enter(0) >= 0, "io_uring_enter");
  const uint32_t tail = *sq_tail;
  struct io_uring_sqe* sqe = &sqes[tail & sq_mask];
  memset(sqe, 0, sizeof *sqe);
  sqe->opcode = opcode;
  sqe->fd = fd;
  sqe->user_data = ((uint64_t)kind << 32) | (uint32_t)fd;
  __atomic_store_n(sq_tail, tail + 1, __ATOMIC_RELEASE);
  to_submit++;
  return sqe;
}

static void StartAccept(int listener) {
  NextEntry(IORING_OP_ACCEPT, listener, kAccept)->ioprio = IORING_ACCEPT_MULTISHOT;
}

static void StartReceive(int fd) {
  struct io_uring_sqe* sqe = NextEntry(IORING_OP_RECV, fd, kReceive);
  sqe->ioprio = IORING_RECV_MULTISHOT;
  sqe->flags = IOSQE_BUFFER_SELECT;
  sqe->buf_group = kGroup;
  connections[fd].receiving = 1;
}

static void StartSend(int fd) {
  Connection* connection = &connections[fd];
  const int index = connection->first;
  struct io_uring_sqe* sqe = NextEntry(IORING_OP_SEND, fd, kSend);
  sqe->addr = (uint64_t)(buffers + (size_t)index * kBufferBytes + buffer_sent[index]);
  sqe->len = buffer_length[index] - buffer_sent[index];
  sqe->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
  connection->sending = 1;
}

static void CloseIfIdle(int fd);

static void GiveBack(int index) {
  struct io_uring_buf* entry = &buffer_ring->bufs[buffer_tail & (kBuffers - 1)];
  entry->addr = (uint64_t)(buffers + (size_t)index * kBufferBytes);
  entry->len = kBufferBytes;
  entry->bid = index;
  __atomic_store_n(&buffer_ring->tail, ++buffer_tail, __ATOMIC_RELEASE);
  while (starved_count > 0) {
    const int fd = starved[--starved_count];
    connections[fd].starved = 0;
    if (connections[fd].open) return StartReceive(fd);
    CloseIfIdle(fd);
  }
}

static void CloseIfIdle(int fd) {
  Connection* connection = &connections[fd];
  if (connection->open || connection->sending || connection->receiving || connection->starved)
    return;
  while (connection->first >= 0) {
    const int index = connection->first;
    connection->first = next_buffer[index];
    GiveBack(index);
  }
  close(fd);
}

static void Fail(int fd) {
  connections[fd].open = 0;
  if (connections[fd].receiving) shutdown(fd, SHUT_RDWR);  // Ends the multishot receive.
  CloseIfIdle(fd);
}

static void Accepted(int listener, const struct io_uring_cqe* cqe) {
  if (!(cqe->flags & IORING_CQE_F_MORE)) StartAccept(listener);
  const int fd = cqe->res;
  if (fd < 0) return;
  if (fd >= kConnections) {
    close(fd);
    return;
  }
  SetNoDelay(fd);
  connections[fd] = (Connection){.open = 1, .first = -1, .last = -1};
  StartReceive(fd);
}

static void Received(int fd, const struct io_uring_cqe* cqe) {
  Connection* connection = &connections[fd];
  if (cqe->flags & IORING_CQE_F_BUFFER) {
    const int index = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
    next_buffer[index] = -1;
    buffer_length[index] = cqe->res;
    buffer_sent[index] = 0;
    if (connection->first < 0)
      connection->first = index;
    else
      next_buffer[connection->last] = index;
    connection->last = index;
    if (!connection->sending && connection->open) StartSend(fd);
  }
  if (cqe->flags & IORING_CQE_F_MORE) return;
  connection->receiving = 0;
  if (cqe->res == -ENOBUFS && connection->open) {
    connection->starved = 1;
    starved[starved_count++] = fd;
  } else if (cqe->res > 0 && connection->open) {
    StartReceive(fd);
  } else {
    Fail(fd);
  }
}

static void Sent(int fd, const struct io_uring_cqe* cqe) {
  Connection* connection = &connections[fd];
  connection->sending = 0;
  if (cqe->res <= 0 || !connection->open) return Fail(fd);
  const int index = connection->first;
  buffer_sent[index] += cqe->res;
  if (buffer_sent[index] == buffer_length[index]) {
    connection->first = next_buffer[index];
    GiveBack(index);
  }
  if (connection->first >= 0) StartSend(fd);
}

static void* Map(size_t length, uint64_t offset) {
  void* memory =
      mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring_fd, (off_t)offset);
  Require(memory != MAP_FAILED, "mmap");
  return memory;
}

static void* Memory(size_t length) {
  void* memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Require(memory != MAP_FAILED, "mmap");
  return memory;
}

static void OpenRing(void) {
  struct io_uring_params params = {0};
  params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  params.cq_entries = 4 * kEntries;
  ring_fd = (int)syscall(SYS_io_uring_setup, kEntries, &params);
  if (ring_fd < 0) Unavailable("io_uring_setup");
  const size_t sq_length = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
  const size_t cq_length = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  uint8_t* ring = Map(sq_length > cq_length ? sq_length : cq_length, IORING_OFF_SQ_RING);
  sqes = Map(params.sq_entries * sizeof *sqes, IORING_OFF_SQES);
  sq_tail = (uint32_t*)(ring + params.sq_off.tail);
  sq_mask = params.sq_entries - 1;
  uint32_t* order = (uint32_t*)(ring + params.sq_off.array);
  for (uint32_t i = 0; i < params.sq_entries; i++) order[i] = i;
  cq_head = (uint32_t*)(ring + params.cq_off.head);
  cq_tail = (uint32_t*)(ring + params.cq_off.tail);
  cq_mask = params.cq_entries - 1;
  cqes = (struct io_uring_cqe*)(ring + params.cq_off.cqes);
}

static void ProvideBuffers(void) {
  buffers = Memory((size_t)kBuffers * kBufferBytes);
  buffer_ring = Memory(kBuffers * sizeof(struct io_uring_buf));
  struct io_uring_buf_reg registration = {
      .ring_addr = (uint64_t)buffer_ring, .ring_entries = kBuffers, .bgid = kGroup};
  if (syscall(SYS_io_uring_register, ring_fd, IORING_REGISTER_PBUF_RING, &registration, 1) != 0) {
    Unavailable("io_uring_register");
  }
  for (int index = 0; index < kBuffers; index++) GiveBack(index);
}

int main(void) {
  EndByItself(120);
  RaiseDescriptorLimit();
  OpenRing();
  ProvideBuffers();
  StartAccept(ListenAndAnnounce(0));
  for (;;) {
    Require(Enter(1) >= 0 || errno == EINTR || errno == EBUSY, "io_uring_enter");
    uint32_t head = *cq_head;
    const uint32_t tail = __atomic_load_n(cq_tail, __ATOMIC_ACQUIRE);
    for (; head != tail; head++) {
      const struct io_uring_cqe* cqe = &cqes[head & cq_mask];
      const int fd = (int)(uint32_t)cqe->user_data;
      switch (cqe->user_data >> 32) {
        case kAccept:
          Accepted(fd, cqe);
          break;
        case kReceive:
          Received(fd, cqe);
          break;
        case kSend:
          Sent(fd, cqe);
          break;
      }
    }
    __atomic_store_n(cq_head, head, __ATOMIC_RELEASE);
  }
}
