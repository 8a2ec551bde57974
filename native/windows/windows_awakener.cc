#include "windows/windows_awakener.h"

#include <system_error>

namespace sideport {

// One thread takes packets: concurrency 1. A handle made without security attributes is not inherited.
PortAwakener::PortAwakener() : port_(CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1)) {
  if (port_ != nullptr) return;
  throw std::system_error(static_cast<int>(GetLastError()), std::system_category(),
                          "CreateIoCompletionPort");
}

// Windows wakes whoever waits at a port that is closed (ERROR_ABANDONED_WAIT_0); Wine does not. Nobody
// relies on it: the port's thread holds a reference to this for as long as it turns.
PortAwakener::~PortAwakener() { CloseHandle(port_); }

// Should there be no memory for the packet, the reasons stay raised, and the slice's end finds them.
void PortAwakener::Signal() { PostQueuedCompletionStatus(port_, 0, kKey, nullptr); }

}  // namespace sideport
