#include "binding/descriptor_count.h"
#include "windows/windows_winsock.h"

namespace sideport {
namespace {

// Handle values are multiples of four. Looked at one by one, because no documented call lists a process's own.
constexpr uintptr_t kStep = 4;
constexpr uintptr_t kValuesMax = kStep * 8192;

// How many values there are to find. Windows tells; Wine 8 counts a process's handles as none, but gives out the
// least value that is free, so that beyond a long gap there are no more.
constexpr DWORD kGapMax = 1024;

bool IsSocket(HANDLE handle) {
  int type = 0;
  socklen_t size = sizeof(type);
  return getsockopt(reinterpret_cast<SOCKET>(handle), SOL_SOCKET, SO_TYPE,
                    reinterpret_cast<char*>(&type), &size) == 0;
}

}  // namespace

int32_t CountDescriptors() {
  StartWinsock();
  DWORD wanted = 0;
  GetProcessHandleCount(GetCurrentProcess(), &wanted);
  int32_t count = 0;
  DWORD found = 0;
  DWORD gap = 0;
  for (uintptr_t value = kStep; value < kValuesMax; value += kStep) {
    if (wanted > 0 ? found == wanted : gap == kGapMax) break;
    const auto handle = reinterpret_cast<HANDLE>(value);
    DWORD flags = 0;
    if (!GetHandleInformation(handle, &flags)) {
      gap++;
      continue;
    }
    gap = 0;
    found++;
    if (GetFileType(handle) == FILE_TYPE_PIPE || IsSocket(handle)) count++;
  }
  return count;
}

}  // namespace sideport
