#include "readiness/posix_poll.h"

#include <fcntl.h>

#include <cerrno>

#include "errors.h"

namespace sideport {

PollPort::PollPort(std::shared_ptr<DescriptorAwakener> awakener)
    : ReadinessPort(std::move(awakener)) {
  watched_.push_back({wake_descriptor(), POLLIN, 0});
  owners_.push_back(nullptr);
}

// poll would tell of a wrong descriptor at the first wait only; the contract wants it known here.
int32_t PollPort::Watch(Endpoint* endpoint) {
  return fcntl(endpoint->fd, F_GETFD) < 0 ? LastNodeErrno() : 0;
}

void PollPort::Unwatch(Endpoint* endpoint) { Remove(endpoint); }

void PollPort::Rearm(Endpoint* endpoint) {
  if (endpoint->wanted == 0) return Remove(endpoint);
  size_t& place = PlaceOf(endpoint);
  if (place == 0) {
    place = watched_.size();
    watched_.push_back({endpoint->fd, 0, 0});
    owners_.push_back(endpoint);
  }
  const int events = ((endpoint->wanted & kReadable) != 0 ? POLLIN : 0) |
                     ((endpoint->wanted & kWritable) != 0 ? POLLOUT : 0);
  watched_[place].events = static_cast<short>(events);
}

// The last entry takes the place of the one removed, so the list has no holes to skip.
void PollPort::Remove(Endpoint* endpoint) {
  const size_t place = PlaceOf(endpoint);
  if (place == 0) return;
  watched_[place] = watched_.back();
  owners_[place] = owners_.back();
  PlaceOf(owners_[place]) = place;
  watched_.pop_back();
  owners_.pop_back();
  PlaceOf(endpoint) = 0;
}

size_t& PollPort::PlaceOf(const Endpoint* endpoint) {
  const auto number = static_cast<size_t>(endpoint->number);
  if (number >= places_.size()) places_.resize(number + 1);
  return places_[number];
}

bool PollPort::Wait(int32_t timeout_ms) {
  const int count = poll(watched_.data(), static_cast<nfds_t>(watched_.size()), timeout_ms);
  if (count < 0) return errno != EINTR;
  if (count == 0) return true;
  if (watched_[0].revents != 0) OnAwakened();
  for (size_t at = 1; at < watched_.size(); at++) {
    const short events = watched_[at].revents;
    uint8_t readiness = 0;
    if ((events & POLLIN) != 0) readiness |= kReadable;
    if ((events & POLLOUT) != 0) readiness |= kWritable;
    if ((events & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
      readiness |= kReadable | kWritable | kExhaustive;
    }
    if (readiness != 0) OnReady(owners_[at], readiness);
  }
  return true;
}

}  // namespace sideport
