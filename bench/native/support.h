// What every C program of the benchmarks needs.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline void Require(int ok, const char* what) {
  if (ok) return;
  perror(what);
  exit(1);
}

static inline int64_t NowNs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

// No program outlives the run: it goes with its parent, and after `limit_s` in any case.
static inline void EndByItself(unsigned limit_s) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(limit_s);
}

static inline void RaiseDescriptorLimit(void) {
  struct rlimit limit;
  Require(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  Require(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

// 127.0.0.1 and the addresses after it: each has all ephemeral ports of its own.
static inline struct sockaddr_in Loopback(int nth, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + nth);
  return address;
}

static inline void SetNoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// Listens on a free port and says so as the servers in JavaScript do: one line of JSON.
static inline int ListenAndAnnounce(int flags) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  Require(fd >= 0, "socket");
  struct sockaddr_in address = Loopback(0, 0);
  socklen_t length = sizeof address;
  Require(bind(fd, (struct sockaddr*)&address, length) == 0, "bind");
  Require(listen(fd, 511) == 0, "listen");
  Require(getsockname(fd, (struct sockaddr*)&address, &length) == 0, "getsockname");
  printf("{\"ports\":[%d],\"pids\":[%d]}\n", ntohs(address.sin_port), getpid());
  fflush(stdout);
  return fd;
}

// A blocking connection from the nth loopback address. Its end is a reset: thousands of closed
// connections would otherwise hold their ports for a minute.
static inline int ConnectFrom(int nth, int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Require(fd >= 0, "socket");
  const struct linger reset = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  // The port is chosen by connect, when the pair of addresses is known, and not by bind.
  const int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  struct sockaddr_in source = Loopback(nth, 0), target = Loopback(0, port);
  Require(bind(fd, (struct sockaddr*)&source, sizeof source) == 0, "bind");
  Require(connect(fd, (struct sockaddr*)&target, sizeof target) == 0, "connect");
  return fd;
}
