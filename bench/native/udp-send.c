// Sends datagrams to a port of the loopback address at a steady pace: udp-send PORT PER_SECOND COUNT BYTES. Each begins with its number
// (uint32) and, at byte 8, the time of its sending on the monotonic clock in nanoseconds (uint64). A sender that was kept from running
// does not make up for it in one burst.
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BURST 16

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int main(int argument_count, char** arguments) {
  if (argument_count != 5) return 2;
  const double per_ns = atof(arguments[2]) / 1e9;
  const uint32_t count = (uint32_t)atoi(arguments[3]);
  const size_t bytes = (size_t)atoi(arguments[4]);
  unsigned char datagram[65536] = {0};
  if (bytes < 16 || bytes > sizeof(datagram)) return 2;
  struct sockaddr_in to = {.sin_family = AF_INET};
  to.sin_port = htons((uint16_t)atoi(arguments[1]));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr*)&to, sizeof(to)) != 0) return 1;
  double due = 0;
  uint64_t before_ns = now_ns();
  const uint64_t start_ns = before_ns;
  for (uint32_t sent = 0; sent < count;) {
    const uint64_t at_ns = now_ns();
    due += (double)(at_ns - before_ns) * per_ns;
    if (due > BURST) due = BURST;
    before_ns = at_ns;
    for (; due >= 1 && sent < count; due--) {
      const uint64_t sent_ns = now_ns();
      memcpy(datagram, &sent, sizeof(sent));
      memcpy(datagram + 8, &sent_ns, sizeof(sent_ns));
      // The loopback interface takes it or drops it at the receiver; it never waits here.
      if (send(fd, datagram, bytes, 0) == (ssize_t)bytes) sent++;
    }
    const struct timespec pause = {0, 50000};
    nanosleep(&pause, NULL);
  }
  // The pace that it really kept.
  printf("%.0f\n", count / ((double)(now_ns() - start_ns) / 1e9));
  return 0;
}
