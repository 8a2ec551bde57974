// A word that JavaScript's Atomics work on too.
#pragma once

#include <cstdint>

#ifdef _MSC_VER
#include <intrin.h>
#endif

namespace sideport {

// Swaps `*word` from `from` to `to` if it is `from`; whether it was. Sequentially consistent, as
// JavaScript's Atomics are. Not std::atomic: the word is memory of V8's, no object of ours.
inline bool CompareExchange(int32_t* word, int32_t from, int32_t to) {
#ifdef _MSC_VER
  // A full barrier on every processor that Windows runs on.
  static_assert(sizeof(long) == sizeof(int32_t));
  return _InterlockedCompareExchange(reinterpret_cast<volatile long*>(word), to, from) == from;
#else
  return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
#endif
}

}  // namespace sideport
