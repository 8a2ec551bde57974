/** Latencies as native/histogram.h counts them, added up over rounds. */

/** How many values each step holds, by the step's highest value, in ascending order. */
export type Histogram = readonly (readonly [highest: number, count: number])[];

/** What was counted in any of them. */
export function merge(histograms: readonly Histogram[]): Histogram {
  const counts = new Map<number, number>();
  for (const [highest, count] of histograms.flat()) counts.set(highest, (counts.get(highest) ?? 0) + count);
  return [...counts].sort(([left], [right]) => left - right);
}

/** Nearest rank: the highest value of the step in which it lies. NaN of an empty histogram. */
export function quantileOf(histogram: Histogram, q: number): number {
  const total = histogram.reduce((sum, [, count]) => sum + count, 0);
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (const [highest, count] of histogram) {
    seen += count;
    if (seen >= rank) return highest;
  }
  return Number.NaN;
}
