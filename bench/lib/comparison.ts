/** What `npm run bench -- NAME` runs. */

export interface BenchOptions {
  /** Fewer rounds, and fewer cases where there are many: for a look, not for a number to quote. */
  readonly quick: boolean;
}

export interface Comparison {
  readonly name: string;
  readonly summary: string;
  /** Measures, prints tables and verdicts. */
  run(options: BenchOptions): Promise<void>;
}
