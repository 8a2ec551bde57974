#include <cerrno>

#include "errors.h"

namespace sideport {

// On POSIX systems libuv's numbers, which Node shows as `errno`, are the negated errno; JavaScript
// finds code and message for them in util.getSystemErrorMap(). EWOULDBLOCK may be a number of its
// own by POSIX; folding it here leaves one value to compare with.
int32_t NodeErrno(int platform_error) {
  return platform_error == EWOULDBLOCK ? -EAGAIN : -platform_error;
}

int32_t LastNodeErrno() { return NodeErrno(errno); }

}  // namespace sideport
