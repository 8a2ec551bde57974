/**
 * Where bytes arrive that nobody will read (stream-discarding.ts): a few buffers for all streams that discard, made by the first of them and
 * let go with the last. They come back at once, so no more are needed, however much comes.
 */
import type { Selector } from '../loop/selector.js';
import type { ReceivePool } from './receive-pool.js';
import { Transit } from './transit.js';

/** What a stream discards in one turn, at most. */
const BUFFERS = 16;

export class Discards {
  readonly #selector: Selector;
  readonly #bufferSize: number;
  #transit: Transit | undefined;
  #streams = 0;

  constructor(selector: Selector, bufferSize: number) {
    this.#selector = selector;
    this.#bufferSize = bufferSize;
  }

  /** For one stream more, until it calls {@link leave}. Undefined when there is no memory for it. */
  join(): ReceivePool | undefined {
    this.#transit ??= Transit.of(this.#selector.port, this.#bufferSize, BUFFERS);
    if (this.#transit) this.#streams++;
    return this.#transit?.pool;
  }

  /** Nothing of the stream is in flight any more. */
  leave(): void {
    const transit = this.#transit;
    if (--this.#streams > 0 || !transit) return;
    this.#transit = undefined;
    this.#selector.retire(() => transit.release());
  }
}
