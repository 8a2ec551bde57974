/** What one start cost. */
export interface Start {
  /** `new Poll()`, which starts the I/O thread and waits for it. */
  readonly pollMs: number;
  /** From before that to the first accepted connection. */
  readonly acceptedMs: number;
  /** By which the process grew in that time. */
  readonly residentBytes: number;
}
