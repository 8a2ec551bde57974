// epoll(7): every descriptor is watched once, edge-triggered, for everything, until it is closed.
// So there is no system call per operation besides the operation's own.
#pragma once

#include "readiness/readiness_port.h"

namespace sideport {

class EpollPort final : public ReadinessPort {
 public:
  // Throws std::system_error when the kernel has no epoll or no descriptor left.
  explicit EpollPort(std::shared_ptr<DescriptorAwakener> awakener);
  ~EpollPort() override;
  const char* name() const override { return "epoll"; }

 protected:
  int32_t Watch(Endpoint* endpoint) override;
  void Unwatch(Endpoint* endpoint) override;
  void Rearm(Endpoint*) override {}
  bool Wait(int32_t timeout_ms) override;
  int32_t Accept(int fd, WireAddress* peer) override;

 private:
  int epoll_fd_;
};

}  // namespace sideport
