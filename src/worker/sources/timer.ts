/**
 * A timer on the I/O thread.
 *
 * ```
 *            SET_TIMER                      due: expirations + n, READY
 *   idle ──────────────────► armed ─────────────────────────────────────► idle, or with an interval armed again
 *    ▲                         │ SET_TIMER: as if anew
 *    └────────CANCEL_TIMER─────┘
 * ```
 *
 * Expirations are counted in the slot's record, so a client that sleeps through many has one event and a number. Setting the timer sets
 * the number to 0 and says which setting it counts for.
 */
import { addExpirations, resetExpirations, timerDueMs } from '../../atomics/readiness.js';
import { Readiness } from '../../protocol/client-memory.js';
import type { Session } from '../clients/session.js';
import type { Timed } from '../loop/timer-heap.js';
import type { Source } from './source.js';

export class Timer implements Source, Timed {
  readonly slot: number;
  readonly generation: number;
  dueMs = 0;
  heapIndex = -1;
  readonly #session: Session;
  #intervalMs = 0;
  /** Settings so far; the client counts as well. */
  #setting = 0;
  #closed = false;

  constructor(session: Session, slot: number, generation: number) {
    this.#session = session;
    this.slot = slot;
    this.generation = generation;
    session.addSource(slot, this);
  }

  /** An expiry is told whatever the interest is: nothing is gained by keeping it back. */
  setInterest(): void {}

  set(armed: boolean, intervalMs: number): void {
    const { timers } = this.#session.selector;
    timers.remove(this);
    this.#setting = (this.#setting + 1) | 0;
    resetExpirations(this.#session.words, this.slot, this.#setting);
    if (!armed || this.#closed) return;
    this.#intervalMs = intervalMs;
    // Of this setting or, if the client has set it again meanwhile, of the next, whose submission follows.
    this.dueMs = timerDueMs(this.#session.words, this.slot);
    timers.add(this);
  }

  /** It is due, and in no heap any more. */
  expire(nowMs: number): void {
    let count = 1;
    if (this.#intervalMs > 0) {
      // What was missed counts, and the beat is kept.
      count += Math.floor((nowMs - this.dueMs) / this.#intervalMs);
      this.dueMs += count * this.#intervalMs;
      this.#session.selector.timers.add(this);
    }
    if (this.#session.draining) return;
    addExpirations(this.#session.words, this.slot, count);
    this.#session.ready(this.slot, this.generation, Readiness.EXPIRED);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#session.selector.timers.remove(this);
    this.#session.removeSource(this.slot, this.generation);
  }

  completed(): void {}
}
