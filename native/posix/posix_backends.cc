#include <system_error>
#include <utility>

#include "backends.h"
#include "posix/descriptor_awakener.h"
#include "readiness/posix_poll.h"
#ifdef __linux__
#include "readiness/linux_epoll.h"
#include "uring/linux_uring.h"
#endif

namespace sideport {
namespace {

using Kind = DescriptorAwakener::Kind;

template <typename Port>
OpenedPort Open(Kind kind) {
  auto awakener = std::make_shared<DescriptorAwakener>(kind);
  return {std::make_unique<Port>(awakener), awakener, {}};
}

}  // namespace

OpenedPort OpenBackend(const std::string& name) {
#ifdef __linux__
  if (name == "io_uring") return Open<UringPort>(Kind::kEventFd);
  if (name == "epoll") return Open<EpollPort>(Kind::kEventFd);
  if (name.empty()) {
    std::string reason;
    try {
      return Open<UringPort>(Kind::kEventFd);
    } catch (const std::system_error& error) {
      // Denied in most containers, wanting before Linux 6.1: nothing that anybody must be told
      // unasked.
      reason = error.what();
    }
    OpenedPort opened = Open<EpollPort>(Kind::kEventFd);
    opened.fallback_reason = std::move(reason);
    return opened;
  }
#endif
  if (name.empty() || name == "poll") return Open<PollPort>(Kind::kPipe);
  return {};
}

}  // namespace sideport
