// Windows has three kinds of error numbers besides C's errno: Win32 codes (GetLastError), Winsock's,
// which share their range, and the NTSTATUS of a completed operation. All end as Node's numbers.
#pragma once

#include <cstdint>

namespace sideport {

// Of a Win32 or a WSA code.
int32_t NodeErrnoOfCode(unsigned long code);

// Of the NTSTATUS that an OVERLAPPED holds once its operation is done; 0 for success and for warnings,
// such as a message that did not fit.
int32_t NodeErrnoOfStatus(long status);

}  // namespace sideport
