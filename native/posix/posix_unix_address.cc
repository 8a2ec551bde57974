#include <sys/un.h>

#include <cstring>

#include "kernel_address.h"

namespace sideport {
namespace {

constexpr size_t kNameOffset = offsetof(sockaddr_un, sun_path);

}  // namespace

bool ToUnixAddress(const uint8_t* name, size_t length, KernelAddress* out) {
  std::memset(out, 0, sizeof(*out));
  const bool abstract = length > 0 && name[0] == 0;
  // A path ends with a zero, which counts; an abstract name ends where its length says.
  const size_t used = abstract || length == 0 ? length : length + 1;
  if (used > sizeof(sockaddr_un::sun_path)) return false;
  auto* const address = reinterpret_cast<sockaddr_un*>(&out->storage);
  address->sun_family = AF_UNIX;
  std::memcpy(address->sun_path, name, length);
  out->length = static_cast<socklen_t>(kNameOffset + used);
  return true;
}

size_t UnixName(const KernelAddress& address, uint8_t* name) {
  if (address.storage.ss_family != AF_UNIX || address.length <= kNameOffset) return 0;
  const auto* const local = reinterpret_cast<const sockaddr_un*>(&address.storage);
  size_t length = address.length - kNameOffset;
  if (length > kUnixNameLimit) length = kUnixNameLimit;
  // Systems differ in whether the final zero of a path counts.
  if (local->sun_path[0] != 0) length = strnlen(local->sun_path, length);
  std::memcpy(name, local->sun_path, length);
  return length;
}

}  // namespace sideport
