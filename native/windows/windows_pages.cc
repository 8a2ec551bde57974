#include "port/pages.h"
#include "windows/windows_api.h"

namespace sideport {

// MEM_RESET and not a decommit: the pages stay writable, and are given fresh when next written to.
void DiscardPages(uint8_t* memory, size_t size) {
  SYSTEM_INFO system;
  GetSystemInfo(&system);
  const uintptr_t page = system.dwPageSize;
  const auto first = (reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page;
  const auto end = (reinterpret_cast<uintptr_t>(memory) + size) / page * page;
  if (first >= end) return;
  auto* const pages = reinterpret_cast<void*>(first);
  if (VirtualAlloc(pages, end - first, MEM_RESET, PAGE_READWRITE) == nullptr) return;
  // Takes them out of the working set at once. It fails with ERROR_NOT_LOCKED, which is documented to
  // do just this.
  VirtualUnlock(pages, end - first);
}

}  // namespace sideport
