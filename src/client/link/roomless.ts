/**
 * Streams and datagram sockets without room to write. They are asked again when sends complete; but a bell is rung only for the first that can
 * give one of them room: to be woken by each would cost more than the sends.
 *
 * ```
 *   sends completed:   taken ─────────────► wished: rings, all are asked again ──► the next wish
 * ```
 *
 * The order of its steps is argued in atomics/flag.ts.
 */
import { wishForRoom, withdrawWishForRoom } from '../../atomics/flag.js';
import { type Deferred, DeferredSources } from './deferred.js';

/** A source that has filled send buffers. */
export interface Writer extends Deferred {
  /** So many of its buffers must come back before it can have room; 0 when room comes by other ways as well. */
  buffersUntilRoom(): number;
}

/** With more of them the search for the nearest costs more than a wake. */
const MANY = 16;

export class Roomless extends DeferredSources<Writer> {
  readonly #words: Int32Array;
  /** Completed sends that this thread has taken note of. */
  #taken = 0;
  #wished: number | undefined;

  /** `wished` is called after a wish, to look for what was published before it and has rung no bell. */
  constructor(words: Int32Array, wished: () => void) {
    super(
      (writer) => {
        if (this.#wish(writer.buffersUntilRoom())) wished();
      },
      (waiting) => this.#wishAnew(waiting),
    );
    this.#words = words;
  }

  /** A send has completed, and its source knows; {@link askAgain} follows. */
  sent(): void {
    this.#taken = (this.#taken + 1) | 0;
  }

  /** Lets nobody wait longer than before. True if somebody may now wait less. */
  #wish(count: number): boolean {
    const sends = (this.#taken + count) | 0;
    if (this.#wished !== undefined && ((sends - this.#wished) | 0) >= 0) return false;
    this.#wished = sends;
    wishForRoom(this.#words, sends);
    return true;
  }

  /** No look follows: whoever drains looks before it sleeps, and {@link #taken} is what it has drained. */
  #wishAnew(waiting: ReadonlySet<Writer>): void {
    const before = this.#wished;
    if (waiting.size === 0) {
      this.#wished = undefined;
      if (before !== undefined) withdrawWishForRoom(this.#words);
      return;
    }
    let nearest = 1;
    if (waiting.size <= MANY) {
      nearest = Number.POSITIVE_INFINITY;
      for (const writer of waiting) nearest = Math.min(nearest, writer.buffersUntilRoom());
    }
    const sends = (this.#taken + nearest) | 0;
    if (sends === before) return;
    this.#wished = sends;
    wishForRoom(this.#words, sends);
  }
}
