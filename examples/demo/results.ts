/** What was measured: per phase, per server. */
import type { Samples, SubjectKind } from './messages.js';

/** Times of one kind, in milliseconds. */
export class Times {
  #ms: number[] = [];
  #sorted = true;

  get count(): number {
    return this.#ms.length;
  }

  add(ms: readonly number[]): void {
    this.#ms = this.#ms.concat(ms);
    this.#sorted = false;
  }

  /** The time within which the fraction `part` of all stayed (nearest rank); undefined without any. */
  percentile(part: number): number | undefined {
    if (!this.#sorted) this.#ms.sort((a, b) => a - b);
    this.#sorted = true;
    return this.#ms[Math.max(0, Math.ceil(part * this.#ms.length) - 1)];
  }
}

/** One server in one phase. */
export class Result {
  readonly accept = new Times();
  readonly roundTrip = new Times();
  /** Processor time of the server's process, as a part of one core; known at the phase's end. */
  cpu: number | undefined;
  unanswered = 0;

  add({ acceptMs, roundTripMs }: Samples): void {
    this.accept.add(acceptMs);
    this.roundTrip.add(roundTripMs);
  }
}

export interface Phase {
  readonly title: string;
  readonly short: string;
  readonly blocked: boolean;
  readonly durationMs: number;
  readonly results: Readonly<Record<SubjectKind, Result>>;
  /** How late the load driver was by itself: what this machine makes of anybody's time. */
  readonly late: Times;
  /** performance.now() of its start; undefined before. */
  startMs: number | undefined;
  ended: boolean;
}

export function newPhase(title: string, short: string, blocked: boolean, durationMs: number): Phase {
  const results = { sideport: new Result(), net: new Result(), 'net-worker': new Result() };
  return { title, short, blocked, durationMs, results, late: new Times(), startMs: undefined, ended: false };
}

/** How much of a phase is over, 0 to 1. */
export function progress(phase: Phase): number {
  if (phase.ended) return 1;
  return phase.startMs === undefined ? 0 : Math.min(1, (performance.now() - phase.startMs) / phase.durationMs);
}
