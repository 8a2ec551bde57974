// One connection, many bytes, one way: `bulk-load PORT send|receive BYTES`. Sends them, ends, and waits for the
// peer's end, by which the peer says that it has all; or receives until the peer's end and counts.
// Prints one line of JSON: the seconds from the connection to that end.
#define _GNU_SOURCE
#include <stdbool.h>

#include "support.h"

enum { kChunkBytes = 256 * 1024 };

static uint8_t chunk[kChunkBytes];

static void Send(int fd, int64_t bytes) {
  while (bytes > 0) {
    ssize_t sent = send(fd, chunk, bytes < kChunkBytes ? bytes : kChunkBytes, MSG_NOSIGNAL);
    Require(sent > 0, "send");
    bytes -= sent;
  }
  Require(shutdown(fd, SHUT_WR) == 0, "shutdown");
}

static int64_t Receive(int fd) {
  int64_t total = 0;
  for (;;) {
    ssize_t length = recv(fd, chunk, kChunkBytes, 0);
    Require(length >= 0, "recv");
    if (length == 0) return total;
    total += length;
  }
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  EndByItself(120);
  const bool sends = strcmp(argv[2], "send") == 0;
  const int64_t bytes = atoll(argv[3]);
  memset(chunk, 'x', sizeof chunk);
  const int fd = ConnectFrom(0, atoi(argv[1]));
  const int64_t begin_ns = NowNs();
  if (sends) Send(fd, bytes);
  const int64_t received = Receive(fd);
  if (received != (sends ? 0 : bytes)) {
    fprintf(stderr, "bulk-load: %lld bytes came\n", (long long)received);
    return 1;
  }
  printf("{\"seconds\":%.6f}\n", (NowNs() - begin_ns) / 1e9);
  return 0;
}
