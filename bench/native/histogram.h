// A histogram of high dynamic range: each power of two is cut into 256 equal steps, so a value is
// known to 1/256 of itself whatever its size, and recording it is a shift and an increment.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { kSteps = 256, kStepBits = 8, kPowers = 40 };

typedef struct {
  uint64_t counts[kPowers * kSteps];
} Histogram;

static inline void HistogramReset(Histogram* histogram) { memset(histogram, 0, sizeof *histogram); }

static inline void HistogramAdd(Histogram* histogram, int64_t value) {
  if (value < 0) value = 0;
  int shift = 0;
  if (value >= kSteps) shift = 63 - __builtin_clzll((uint64_t)value) - kStepBits;
  // From the second power on the leading bit is implied by the shift, so steps start at 256.
  uint64_t at = ((uint64_t)shift << kStepBits) + ((uint64_t)value >> shift);
  if (at >= kPowers * kSteps) at = kPowers * kSteps - 1;
  histogram->counts[at]++;
}

// The highest value of a step.
static inline int64_t HistogramHighest(int64_t at) {
  if (at < 2 * kSteps) return at;
  const int shift = (int)(at >> kStepBits) - 1;
  return ((at - ((int64_t)shift << kStepBits) + 1) << shift) - 1;
}

// [[highest value, count], ...] of the steps that hold any, in ascending order. Quantiles are taken
// where histograms of several rounds are added up.
static inline void HistogramPrint(const Histogram* histogram) {
  const char* separator = "";
  printf("[");
  for (int64_t at = 0; at < kPowers * kSteps; at++) {
    if (histogram->counts[at] == 0) continue;
    printf("%s[%lld,%llu]", separator, (long long)HistogramHighest(at),
           (unsigned long long)histogram->counts[at]);
    separator = ",";
  }
  printf("]");
}
