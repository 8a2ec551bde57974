// A histogram of latencies with a relative error of at most 1/64: each power of two is cut into 64
// equal steps, so recording is a shift and an increment, whatever the value.
#pragma once

#include <stdint.h>
#include <string.h>

enum { kSteps = 64, kStepBits = 6, kPowers = 40 };

typedef struct {
  uint64_t counts[kPowers * kSteps];
  uint64_t total;
  int64_t most;
} Histogram;

static inline void HistogramReset(Histogram* histogram) { memset(histogram, 0, sizeof *histogram); }

static inline void HistogramAdd(Histogram* histogram, int64_t value) {
  if (value < 0) value = 0;
  if (value > histogram->most) histogram->most = value;
  histogram->total++;
  int shift = 0;
  if (value >= kSteps) shift = 63 - __builtin_clzll((uint64_t)value) - kStepBits;
  // From the second power on the leading bit is implied by the shift, so steps start at 64.
  uint64_t at = ((uint64_t)shift << kStepBits) + ((uint64_t)value >> shift);
  if (at >= kPowers * kSteps) at = kPowers * kSteps - 1;
  histogram->counts[at]++;
}

// The highest value that belongs to the step in which the quantile lies.
static inline int64_t HistogramQuantile(const Histogram* histogram, double quantile) {
  uint64_t rank = (uint64_t)(quantile * (double)histogram->total), seen = 0;
  for (int64_t at = 0; at < kPowers * kSteps; at++) {
    seen += histogram->counts[at];
    if (seen <= rank) continue;
    if (at < 2 * kSteps) return at;
    const int shift = (int)(at >> kStepBits) - 1;
    const int64_t highest = ((at - ((int64_t)shift << kStepBits) + 1) << shift) - 1;
    return highest < histogram->most ? highest : histogram->most;
  }
  return histogram->most;
}
