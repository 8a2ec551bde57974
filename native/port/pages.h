// Pages of memory that is not ours to free, only to empty.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sideport {

// Gives the pages that lie wholly within the memory back to the system. It stays mapped; what it held is lost, and the
// next write gets a fresh page. A hint: a system that knows no such call keeps them.
void DiscardPages(uint8_t* memory, size_t size);

}  // namespace sideport
