/** Medians, because one disturbed round must not decide; the range beside them says how disturbed the run was. */

export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Nearest rank: always a value that was measured. */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** Of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const above = sorted.length >> 1;
  const below = (sorted.length - 1) >> 1;
  return ((sorted[below] ?? Number.NaN) + (sorted[above] ?? Number.NaN)) / 2;
}

export function summarize(values: readonly number[]): Summary {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Round by round: both sides of each met about the same moment of the machine. */
export function ratios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.map((value, round) => value / (theirs[round] ?? Number.NaN));
}

/** Of several loads, each with one value per round: the mean of their medians; as its range, their means in single rounds. */
export function summarizeMean(loads: readonly (readonly number[])[]): Summary {
  const rounds = (loads[0] ?? []).map((_, round) => geometricMean(loads.map((values) => values[round] ?? Number.NaN)));
  return { ...summarize(rounds), median: geometricMean(loads.map(median)) };
}
