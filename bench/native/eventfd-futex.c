// The floor of a wake-up through a kernel: `eventfd-futex ROUND_TRIPS CORE`. Thread A, on core 0,
// writes an eventfd, as a client wakes the I/O thread; thread B, on CORE, sleeps in epoll_wait on
// it, reads it, and answers by a futex on which A sleeps, as a client that blocks in a poll does.
// Prints one line per round trip, in nanoseconds.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "support.h"

static const int kWarmUp = 1000;

static int wake_fd;
static int answerer_core;
static int round_trips;
static _Atomic uint32_t answers;

static void Pin(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  Require(sched_setaffinity(0, sizeof cores, &cores) == 0, "sched_setaffinity");
}

// B.
static void* Answer(void* unused) {
  (void)unused;
  Pin(answerer_core);
  int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  Require(epoll_fd >= 0, "epoll_create1");
  struct epoll_event event = {.events = EPOLLIN};
  Require(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) == 0, "epoll_ctl");
  for (int i = 0; i < round_trips; i++) {
    while (epoll_wait(epoll_fd, &event, 1, -1) != 1) Require(errno == EINTR, "epoll_wait");
    uint64_t count;
    Require(read(wake_fd, &count, sizeof count) == sizeof count, "read");
    atomic_fetch_add(&answers, 1);
    syscall(SYS_futex, &answers, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  }
  return NULL;
}

int main(int argc, char** argv) {
  EndByItself(60);
  round_trips = kWarmUp + (argc > 1 ? atoi(argv[1]) : 10000);
  answerer_core = argc > 2 ? atoi(argv[2]) : 0;
  Pin(0);
  wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  Require(wake_fd >= 0, "eventfd");
  int64_t* elapsed_ns = calloc(round_trips, sizeof *elapsed_ns);
  Require(elapsed_ns != NULL, "calloc");

  pthread_t answerer;
  Require(pthread_create(&answerer, NULL, Answer, NULL) == 0, "pthread_create");
  const uint64_t one = 1;
  for (int i = 0; i < round_trips; i++) {
    const uint32_t before = atomic_load(&answers);
    const int64_t start_ns = NowNs();
    Require(write(wake_fd, &one, sizeof one) == sizeof one, "write");
    while (atomic_load(&answers) == before)
      syscall(SYS_futex, &answers, FUTEX_WAIT_PRIVATE, before, NULL, NULL, 0);
    elapsed_ns[i] = NowNs() - start_ns;
  }
  pthread_join(answerer, NULL);
  for (int i = kWarmUp; i < round_trips; i++) printf("%lld\n", (long long)elapsed_ns[i]);
  return 0;
}
