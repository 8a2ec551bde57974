/**
 * Interleaved rounds: every case once per round, so that whatever drifts (clock, caches, neighbours on the same
 * machine) meets all cases alike. The order rotates, so no case always runs in the wake of the same other one.
 */
import { Progress } from './progress.js';

export interface Case {
  readonly label: string;
}

/** The results of each case, one per round, in the order of `cases`. */
export async function interleave<C extends Case, R>(
  name: string,
  cases: readonly C[],
  rounds: number,
  measure: (measured: C) => Promise<R>,
): Promise<Map<C, R[]>> {
  const results = new Map<C, R[]>(cases.map((each) => [each, []]));
  const progress = new Progress(name, cases.length * rounds);
  for (let round = 0; round < rounds; round++) {
    for (let step = 0; step < cases.length; step++) {
      const each = cases[(round + step) % cases.length] as C;
      progress.next(round + 1, rounds, each.label);
      results.get(each)?.push(await measure(each));
    }
  }
  progress.done();
  return results;
}
