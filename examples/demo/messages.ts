/** What the demo's processes tell one another. The main process talks to each; they do not talk among themselves. */
import type { SocketAddress } from 'sideport';

/** Where and on which thread a process under test serves. */
export type SubjectKind = 'sideport' | 'net' | 'net-worker';

/** To a process under test. */
export type SubjectOrder =
  /** Blocks the main thread regularly from now on, or no longer. Answered by 'cpu'. */
  { readonly kind: 'block'; readonly on: boolean } | { readonly kind: 'stop' };

/** From a process under test. */
export type SubjectReport =
  | { readonly kind: 'ready'; readonly echo: SocketAddress; readonly http: SocketAddress; readonly backend: string }
  /** Processor time of all its threads since its start. */
  | { readonly kind: 'cpu'; readonly cpuMs: number };

export interface Target {
  readonly echo: SocketAddress;
  readonly http: SocketAddress;
}

/** To the load driver. Answered by 'samples' all the time, and 'done'. */
export interface LoadOrder {
  readonly kind: 'run';
  readonly targets: readonly Target[];
  readonly durationMs: number;
}

/** What one target has shown since the last report. */
export interface Samples {
  readonly acceptMs: readonly number[];
  readonly roundTripMs: readonly number[];
}

/** From the load driver; one entry per target. `lateMs`: how late the driver itself was, whenever it sent. */
export type LoadReport =
  | { readonly kind: 'samples'; readonly samples: readonly Samples[]; readonly lateMs: readonly number[] }
  /** Messages and connections that nobody answered, long after the last was sent. */
  | { readonly kind: 'done'; readonly unanswered: readonly number[] };
