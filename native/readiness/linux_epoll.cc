#include "readiness/linux_epoll.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "errors.h"
#include "socket.h"

namespace sideport {
namespace {

constexpr int kEventsPerWait = 256;

uint8_t ToReadiness(uint32_t events) {
  uint8_t readiness = 0;
  if ((events & EPOLLIN) != 0) readiness |= kReadable;
  if ((events & EPOLLOUT) != 0) readiness |= kWritable;
  // The peer has finished sending: reads tell, writes may go on.
  if ((events & EPOLLRDHUP) != 0) readiness |= kReadable | kExhaustive;
  // A receive stops short at the mark of urgent data although more lies behind it.
  if ((events & EPOLLPRI) != 0) readiness |= kExhaustive;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) readiness |= kReadable | kWritable | kExhaustive;
  return readiness;
}

}  // namespace

EpollPort::EpollPort(std::shared_ptr<DescriptorAwakener> awakener)
    : ReadinessPort(std::move(awakener)), epoll_fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_fd_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  epoll_event event{};
  // Level-triggered, the awakener alone: a wake that is not drained yet is reported again.
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_descriptor(), &event) == 0) return;
  const int error = errno;
  close(epoll_fd_);
  throw std::system_error(error, std::generic_category(), "epoll_ctl");
}

EpollPort::~EpollPort() { close(epoll_fd_); }

int32_t EpollPort::Watch(Endpoint* endpoint) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;
  event.data.ptr = endpoint;
  return epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, endpoint->fd, &event) == 0 ? 0 : LastNodeErrno();
}

// Explicitly, although close() would do: a descriptor inherited by a child keeps the open file
// alive, and with it the watch, whose endpoint is by then another socket's.
void EpollPort::Unwatch(Endpoint* endpoint) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, endpoint->fd, nullptr);
}

bool EpollPort::Wait(int32_t timeout_ms) {
  epoll_event events[kEventsPerWait];
  // More ready descriptors than fit are reported by the next wait: epoll takes them in turn.
  const int count = epoll_wait(epoll_fd_, events, kEventsPerWait, timeout_ms);
  if (count < 0) return errno != EINTR;
  for (int at = 0; at < count; at++) {
    auto* const endpoint = static_cast<Endpoint*>(events[at].data.ptr);
    if (endpoint == nullptr) {
      OnAwakened();
    } else {
      OnReady(endpoint, ToReadiness(events[at].events));
    }
  }
  return true;
}

int32_t EpollPort::Accept(int fd, WireAddress* peer) { return AcceptConnectionAtomic(fd, peer); }

}  // namespace sideport
