// How many descriptors the process has open, so that a test can say that none has leaked.
#pragma once

#include <cstdint>

namespace sideport {

// Sockets, pipes and what else has no name in the file system; not files, which Node's module loader
// leaves open in a thread that is terminated. On Windows sockets and pipes.
int32_t CountDescriptors();

}  // namespace sideport
