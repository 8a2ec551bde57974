/** What `npm run bench -- NAME` runs. */
import type { Report } from './report.js';

export interface BenchOptions {
  /** Fewer rounds, and fewer cases where there are many: for a look, not for a number to quote. */
  readonly quick: boolean;
  readonly report: Report;
}

export interface Comparison {
  readonly name: string;
  readonly summary: string;
  /** Measures, reports tables, targets and charts. */
  run(options: BenchOptions): Promise<void>;
}
