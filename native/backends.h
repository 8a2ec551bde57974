// The backends that this system has. One definition per kind of system: posix/posix_backends.cc,
// windows/windows_backends.cc.
#pragma once

#include <memory>
#include <string>

#include "completion_port.h"
#include "port/awakener.h"

namespace sideport {

struct OpenedPort {
  std::unique_ptr<CompletionPort> port;
  std::shared_ptr<Awakener> awakener;
  std::string fallback_reason;  // why it is not the best that this system could have
};

// The backend asked for, or with an empty name the best that this system has. Without a port: there
// is none of that name. Throws std::system_error when it cannot be had here and now.
OpenedPort OpenBackend(const std::string& name);

}  // namespace sideport
