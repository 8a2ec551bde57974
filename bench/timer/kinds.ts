/** What bench/timer compares. */
export type Kind = 'timer' | 'worker' | 'main';

export interface Clock {
  readonly label: string;
  readonly kind: Kind;
}

export const TIMER: Clock = { label: 'Timer, handler in a worker', kind: 'timer' };
export const MAIN: Clock = { label: 'setTimeout, main thread', kind: 'main' };
export const WORKER: Clock = { label: 'setTimeout, in a worker', kind: 'worker' };
export const CLOCKS: readonly Clock[] = [TIMER, WORKER, MAIN];
