// poll(2): for every POSIX system without a better backend. It is handed the whole list of
// descriptors at each wait, each with what a parked operation waits for. A descriptor that nobody
// waits on stays out of the list: poll reports a hang-up unasked, at every wait.
#pragma once

#include <poll.h>

#include <vector>

#include "readiness/readiness_port.h"

namespace sideport {

class PollPort final : public ReadinessPort {
 public:
  explicit PollPort(std::shared_ptr<DescriptorAwakener> awakener);
  const char* name() const override { return "poll"; }

 protected:
  int32_t Watch(Endpoint* endpoint) override;
  void Unwatch(Endpoint* endpoint) override;
  void Rearm(Endpoint* endpoint) override;
  bool Wait(int32_t timeout_ms) override;

 private:
  void Remove(Endpoint* endpoint);
  size_t& PlaceOf(const Endpoint* endpoint);

  // Side by side: what poll is handed, and whose entry it is. Entry 0 is the awakener.
  std::vector<pollfd> watched_;
  std::vector<Endpoint*> owners_;
  // By endpoint number: its entry, 0 = none.
  std::vector<size_t> places_;
};

}  // namespace sideport
