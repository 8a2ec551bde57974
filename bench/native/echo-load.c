// The load generator of the echo comparison: one thread, epoll, its own process, the same for every
// server.
//
//   echo-load --port P[,P...] --connections N --depth D --size BYTES --warm-up MS --measure MS
//             [--rate R]
//
// Closed loop: each connection has D messages under way; a message that came back is followed by
// the next at once. Latency runs from the moment a message was queued for sending.
//
// Open loop (--rate R, messages a second over all connections): message k is due at k/R, whatever
// the server does, and latency runs from that moment. A stall so costs every message that was due
// in it, where a closed loop would have sent only one into it (coordinated omission). What counts is
// what was due in the window, also if it comes back later: it is waited for, kDrainMs at most, and
// what is missing then counts with its age.
//
// Prints "measuring" when the window begins, "measured" when it has ended, and one line of JSON.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "histogram.h"
#include "support.h"

enum { kReadBytes = 256 * 1024, kEventsPerWait = 256, kDueMaximum = 4096, kDrainMs = 3000 };

typedef struct {
  int fd;
  bool wants_out;
  // Messages since the connection began, and the bytes of the next one.
  uint64_t queued, received;
  int64_t unsent_bytes;
  int sent_offset, received_offset;
  // When message k was queued, or due: at k modulo the capacity.
  int64_t* queued_ns;
} Connection;

static int ports[16], port_count;
static int connection_count = 50, depth = 1, size = 64, warm_up_ms = 300, measure_ms = 1000;
static double rate;

static Connection* connections;
static int epoll_fd, ring_mask;
static uint8_t *pattern, *input;
static Histogram histogram;
static int64_t start_ns, window_begin_ns = INT64_MAX, window_end_ns = INT64_MAX;
// Open loop: the number of the message that is due next, and how many of the window are under way.
static uint64_t next_due, awaited;

static uint8_t PatternAt(int64_t offset) { return (uint8_t)(offset * 31 + 7); }

static void Watch(Connection* connection, bool out) {
  if (connection->wants_out == out) return;
  connection->wants_out = out;
  struct epoll_event event = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = connection};
  Require(epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) == 0, "epoll_ctl");
}

// The pattern is laid out twice as long as what is sent at once, so any offset can be sent from.
static void Flush(Connection* connection) {
  while (connection->unsent_bytes > 0) {
    int64_t length = connection->unsent_bytes < kReadBytes ? connection->unsent_bytes : kReadBytes;
    ssize_t sent = send(connection->fd, pattern + connection->sent_offset, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) break;
    Require(sent > 0, "send");
    connection->unsent_bytes -= sent;
    connection->sent_offset = (int)((connection->sent_offset + sent) % size);
  }
  Watch(connection, connection->unsent_bytes > 0);
}

static bool IsDueInWindow(int64_t at_ns) {
  return at_ns >= window_begin_ns && at_ns < window_end_ns;
}

static void Queue(Connection* connection, int64_t at_ns) {
  connection->queued_ns[connection->queued++ & ring_mask] = at_ns;
  if (IsDueInWindow(at_ns)) awaited++;
  connection->unsent_bytes += size;
}

// Checks the first and the last byte of what came: a server that shifts, drops or mixes bytes is
// found.
static void Check(const Connection* connection, ssize_t length) {
  const int64_t first = connection->received_offset, last = first + length - 1;
  if (input[0] == pattern[first] && input[length - 1] == PatternAt(last % size)) return;
  fprintf(stderr, "echo-load: wrong bytes came back\n");
  exit(1);
}

static void Record(int64_t now_ns, int64_t queued_ns) {
  if (rate > 0) {
    if (!IsDueInWindow(queued_ns)) return;
    awaited--;
  } else if (!IsDueInWindow(now_ns)) {
    return;
  }
  HistogramAdd(&histogram, now_ns - queued_ns);
}

static int Receive(Connection* connection) {
  ssize_t length = recv(connection->fd, input, kReadBytes, 0);
  if (length < 0 && errno == EAGAIN) return 0;
  if (length == 0) errno = ECONNRESET;
  Require(length > 0, "recv");
  Check(connection, length);
  const int64_t total = connection->received_offset + length;
  const int messages = (int)(total / size);
  connection->received_offset = (int)(total % size);
  const int64_t now_ns = NowNs();
  for (int i = 0; i < messages; i++) {
    Record(now_ns, connection->queued_ns[connection->received++ & ring_mask]);
  }
  if (rate == 0) {
    for (int i = 0; i < messages; i++) Queue(connection, now_ns);
    Flush(connection);
  }
  return messages;
}

static bool IsFull(const Connection* connection) {
  return connection->queued - connection->received > (uint64_t)ring_mask;
}

static int64_t DueNs(uint64_t message) {
  return start_ns + (int64_t)(1e9 * (double)message / rate);
}

// Open loop: queues what has become due, round robin; returns when the next message is due. What
// finds its connection full stays due, with the time at which it was.
static int64_t QueueDue(void) {
  for (int burst = 0;; burst++) {
    const int64_t due_ns = DueNs(next_due);
    if (due_ns >= window_end_ns) return INT64_MAX;
    Connection* connection = &connections[next_due % connection_count];
    if (due_ns > NowNs() || burst == kDueMaximum || IsFull(connection)) return due_ns;
    Queue(connection, due_ns);
    Flush(connection);
    next_due++;
  }
}

static int64_t CpuNs(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * 1000000000LL + used.tv_nsec;
}

static int Wait(struct epoll_event* events, int64_t until_ns) {
  int64_t left_ns = until_ns - NowNs();
  if (left_ns < 0) left_ns = 0;
  const struct timespec timeout = {left_ns / 1000000000, left_ns % 1000000000};
  const int count = epoll_pwait2(epoll_fd, events, kEventsPerWait, &timeout, NULL);
  Require(count >= 0 || errno == EINTR, "epoll_pwait2");
  return count;
}

// Sends, waits and receives once; returns the messages that came back.
static uint64_t Turn(int64_t until_ns) {
  static struct epoll_event events[kEventsPerWait];
  uint64_t messages = 0;
  if (rate > 0) {
    const int64_t due_ns = QueueDue();
    if (due_ns < until_ns) until_ns = due_ns;
  }
  const int count = Wait(events, until_ns);
  for (int i = 0; i < count; i++) {
    Connection* connection = events[i].data.ptr;
    if (events[i].events & EPOLLOUT) Flush(connection);
    if (events[i].events & ~EPOLLOUT) messages += Receive(connection);
  }
  return messages;
}

static uint64_t Run(int64_t end_ns) {
  uint64_t messages = 0;
  while (NowNs() < end_ns) messages += Turn(end_ns);
  return messages;
}

// Open loop: waits for what was due in the window. What does not come counts with its age.
static void Drain(void) {
  const int64_t limit_ns = window_end_ns + kDrainMs * 1000000LL;
  while (NowNs() < limit_ns && (awaited > 0 || DueNs(next_due) < window_end_ns)) Turn(limit_ns);
  const int64_t now_ns = NowNs();
  for (int i = 0; i < connection_count; i++) {
    const Connection* connection = &connections[i];
    for (uint64_t k = connection->received; k < connection->queued; k++) {
      Record(now_ns, connection->queued_ns[k & ring_mask]);
    }
  }
  for (; DueNs(next_due) < window_end_ns; next_due++) {
    HistogramAdd(&histogram, now_ns - DueNs(next_due));
  }
}

// One message there and back, so that the connection is known to be accepted: a server that accepts
// one connection per loop turn would otherwise still be at it in the window.
static void Greet(Connection* connection) {
  Require(send(connection->fd, pattern, size, MSG_NOSIGNAL) == size, "send");
  for (int at = 0; at < size;) {
    const ssize_t length = recv(connection->fd, input, size - at, 0);
    if (length == 0) errno = ECONNRESET;
    Require(length > 0, "recv");
    at += (int)length;
  }
  Require(fcntl(connection->fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
}

static void Connect(void) {
  const int capacity = rate > 0 ? kDueMaximum : depth;
  ring_mask = 1;
  while (ring_mask < capacity) ring_mask *= 2;
  ring_mask--;
  connections = calloc(connection_count, sizeof *connections);
  for (int i = 0; i < connection_count; i++) {
    Connection* connection = &connections[i];
    connection->fd = ConnectFrom(i % 4, ports[i % port_count]);
    SetNoDelay(connection->fd);
    Greet(connection);
    connection->queued_ns = calloc(ring_mask + 1, sizeof *connection->queued_ns);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    Require(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) == 0, "epoll_ctl");
  }
}

static void Parse(int argc, char** argv) {
  static const struct option options[] = {
      {"port", 1, NULL, 'p'},    {"connections", 1, NULL, 'c'},
      {"depth", 1, NULL, 'd'},   {"size", 1, NULL, 's'},
      {"warm-up", 1, NULL, 'w'}, {"measure", 1, NULL, 'm'},
      {"rate", 1, NULL, 'r'},    {NULL, 0, NULL, 0},
  };
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
    if (option == 'c') connection_count = atoi(optarg);
    if (option == 'd') depth = atoi(optarg);
    if (option == 's') size = atoi(optarg);
    if (option == 'w') warm_up_ms = atoi(optarg);
    if (option == 'm') measure_ms = atoi(optarg);
    if (option == 'r') rate = atof(optarg);
    if (option == '?') exit(2);
    if (option != 'p') continue;
    for (char* port = strtok(optarg, ","); port && port_count < 16; port = strtok(NULL, ",")) {
      ports[port_count++] = atoi(port);
    }
  }
  if (port_count == 0 || connection_count < 1 || depth < 1 || size < 1) {
    fprintf(stderr, "echo-load: needs --port, and counts of at least 1\n");
    exit(2);
  }
}

static void Say(const char* word) {
  printf("%s\n", word);
  fflush(stdout);
}

static void Print(uint64_t messages, int64_t elapsed_ns, int64_t cpu_ns) {
  printf("{\"perSecond\":%.1f,\"coreFraction\":%.4f,\"latenciesNs\":",
         1e9 * (double)messages / (double)elapsed_ns, (double)cpu_ns / (double)elapsed_ns);
  HistogramPrint(&histogram);
  printf("}\n");
}

int main(int argc, char** argv) {
  Parse(argc, argv);
  EndByItself(60 + (unsigned)(warm_up_ms + measure_ms) / 1000);
  RaiseDescriptorLimit();
  const int period = size + kReadBytes;
  pattern = malloc(period);
  input = malloc(kReadBytes);
  for (int i = 0; i < period; i++) pattern[i] = PatternAt(i % size);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  Connect();

  start_ns = NowNs();
  for (int i = 0; rate == 0 && i < connection_count; i++) {
    for (int k = 0; k < depth; k++) Queue(&connections[i], start_ns);
    Flush(&connections[i]);
  }
  Run(start_ns + warm_up_ms * 1000000LL);

  HistogramReset(&histogram);
  Say("measuring");
  window_begin_ns = NowNs();
  window_end_ns = window_begin_ns + measure_ms * 1000000LL;
  const int64_t begin_cpu_ns = CpuNs();
  const uint64_t messages = Run(window_end_ns);
  const int64_t elapsed_ns = NowNs() - window_begin_ns, cpu_ns = CpuNs() - begin_cpu_ns;
  Say("measured");
  if (rate > 0) Drain();
  Print(messages, elapsed_ns, cpu_ns);
  return 0;
}
