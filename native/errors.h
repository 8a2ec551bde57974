// The one table from the platform's errors to Node's negative error numbers.
#pragma once

#include <cstdint>

namespace sideport {

// `platform_error` is an errno value here; a Windows build will pass WSA codes and NTSTATUS through
// a table of its own, in errors.cc.
int32_t NodeErrno(int platform_error);

// Of the system call of this thread that failed last.
int32_t LastNodeErrno();

}  // namespace sideport
