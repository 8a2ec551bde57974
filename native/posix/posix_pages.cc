#include <sys/mman.h>
#include <unistd.h>

#include "port/pages.h"

namespace sideport {

void DiscardPages(uint8_t* memory, size_t size) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = (reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page;
  const auto end = (reinterpret_cast<uintptr_t>(memory) + size) / page * page;
  if (first >= end) return;
#ifdef __linux__
  // The memory is private and anonymous: V8 allocates a SharedArrayBuffer as it does any other.
  constexpr int kAdvice = MADV_DONTNEED;
#else
  constexpr int kAdvice = MADV_FREE;
#endif
  madvise(reinterpret_cast<void*>(first), end - first, kAdvice);
}

}  // namespace sideport
