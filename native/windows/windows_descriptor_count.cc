#include "binding/descriptor_count.h"
#include "windows/windows_winsock.h"

namespace sideport {
namespace {

// Handle values are multiples of four, and the least free one is given out first. Looked at one by one,
// because Wine counts a process's handles as none (GetProcessHandleCount).
constexpr uintptr_t kValuesMax = 4 * 8192;

bool IsSocket(HANDLE handle) {
  int type = 0;
  socklen_t size = sizeof(type);
  return getsockopt(reinterpret_cast<SOCKET>(handle), SOL_SOCKET, SO_TYPE,
                    reinterpret_cast<char*>(&type), &size) == 0;
}

}  // namespace

int32_t CountDescriptors() {
  StartWinsock();
  int32_t count = 0;
  for (uintptr_t value = 4; value < kValuesMax; value += 4) {
    const auto handle = reinterpret_cast<HANDLE>(value);
    DWORD flags = 0;
    if (!GetHandleInformation(handle, &flags)) continue;
    if (GetFileType(handle) == FILE_TYPE_PIPE || IsSocket(handle)) count++;
  }
  return count;
}

}  // namespace sideport
