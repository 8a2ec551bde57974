// Whether this kernel, as configured and confined here, has all of io_uring that UringPort uses.
#pragma once

namespace sideport {

// Does each of it once, in a ring of its own. Throws std::system_error that says what was refused.
// Neither the version nor the list of opcodes would tell: seccomp filters, sysctls and limits deny
// calls, and distributions add and remove features.
void ProbeUring();

}  // namespace sideport
