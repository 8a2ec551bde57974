/**
 * What the I/O thread answers over comlink: calls that return promises. No data takes this way.
 */
import type { IoThreadStats } from '../../protocol/control.js';
import type { Selector } from '../loop/selector.js';

export class Service {
  readonly #selector: Selector;
  readonly #close: () => void;

  constructor(selector: Selector, close: () => void) {
    this.#selector = selector;
    this.#close = close;
  }

  stats(): IoThreadStats {
    return this.#selector.stats();
  }

  /** Begins the end: flush for `lingerMs` at most, then stop. Answers at once; the end shows by the port's death. */
  close(): void {
    this.#close();
  }
}
