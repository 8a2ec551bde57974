// What makes a descriptor a socket of ours, on POSIX systems.
#pragma once

#include <cstdint>

namespace sideport {

// Of a domain and a type of socket(2): non-blocking, closed on exec, without SIGPIPE.
int32_t OpenSocket(int domain, int type);
// The same for one that was made otherwise.
void PrepareSocket(int fd);

}  // namespace sideport
