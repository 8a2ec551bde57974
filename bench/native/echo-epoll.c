// The floor of the echo comparison on a readiness kernel: one thread, level-triggered epoll, every
// byte read is written back. A connection whose peer does not take its bytes is not read from
// meanwhile.
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>

#include "support.h"

enum { kBufferBytes = 64 * 1024, kEventsPerWait = 256 };

typedef struct {
  int fd;
  // What could not be written; NULL while everything was.
  uint8_t* unsent;
  ssize_t unsent_length;
} Connection;

static int epoll_fd;
static uint8_t buffer[kBufferBytes];

static void Watch(Connection* connection, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  Require(epoll_ctl(epoll_fd, operation, connection->fd, &event) == 0, "epoll_ctl");
}

static void Accept(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    SetNoDelay(fd);
    Connection* connection = calloc(1, sizeof *connection);
    connection->fd = fd;
    Watch(connection, EPOLL_CTL_ADD, EPOLLIN);
  }
}

static void Close(Connection* connection) {
  close(connection->fd);
  free(connection->unsent);
  free(connection);
}

// Returns what is left over, or -1 when the connection has failed.
static ssize_t Send(Connection* connection, const uint8_t* bytes, ssize_t length) {
  while (length > 0) {
    ssize_t sent = send(connection->fd, bytes, length, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN ? length : -1;
    bytes += sent;
    length -= sent;
  }
  return 0;
}

static void Echo(Connection* connection) {
  ssize_t length = recv(connection->fd, buffer, kBufferBytes, 0);
  if (length < 0 && errno == EAGAIN) return;
  ssize_t left = length > 0 ? Send(connection, buffer, length) : -1;
  if (left < 0) return Close(connection);
  if (left == 0) return;
  connection->unsent = malloc(left);
  connection->unsent_length = left;
  memcpy(connection->unsent, buffer + length - left, left);
  Watch(connection, EPOLL_CTL_MOD, EPOLLOUT);
}

static void Resume(Connection* connection) {
  ssize_t left = Send(connection, connection->unsent, connection->unsent_length);
  if (left < 0) return Close(connection);
  memmove(connection->unsent, connection->unsent + connection->unsent_length - left, left);
  connection->unsent_length = left;
  if (left > 0) return;
  free(connection->unsent);
  connection->unsent = NULL;
  Watch(connection, EPOLL_CTL_MOD, EPOLLIN);
}

int main(void) {
  EndByItself(120);
  RaiseDescriptorLimit();
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  Connection listener = {.fd = ListenAndAnnounce(SOCK_NONBLOCK)};
  Watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
  for (;;) {
    static struct epoll_event events[kEventsPerWait];
    const int count = epoll_wait(epoll_fd, events, kEventsPerWait, -1);
    Require(count >= 0 || errno == EINTR, "epoll_wait");
    for (int i = 0; i < count; i++) {
      Connection* connection = events[i].data.ptr;
      if (connection == &listener) {
        Accept(listener.fd);
      } else if (connection->unsent) {
        Resume(connection);
      } else {
        Echo(connection);
      }
    }
  }
}
