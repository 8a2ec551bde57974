/** Whoever on this thread listens for signals (atomics/signal.ts). */
import { signalCount } from '../../atomics/signal.js';

/** An Awakener, a Poll's interrupt, or a source whose readiness a program sets. */
export interface SignalListener {
  /** Some signal of this client was raised; perhaps this one's. */
  look(): void;
}

export class Signals {
  readonly #words: Int32Array;
  readonly #listeners = new Set<SignalListener>();
  #seen = 0;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  add(listener: SignalListener): void {
    this.#listeners.add(listener);
  }

  remove(listener: SignalListener): void {
    this.#listeners.delete(listener);
  }

  /** Whether some signal was raised since the last look. */
  get hasNews(): boolean {
    return signalCount(this.#words) !== this.#seen;
  }

  look(): void {
    const count = signalCount(this.#words);
    if (count === this.#seen) return;
    this.#seen = count;
    for (const listener of this.#listeners) listener.look();
  }
}
