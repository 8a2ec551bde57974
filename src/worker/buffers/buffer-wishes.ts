/**
 * What a client's receive pools, together, want done about their buffers (BuffersWanted): one word in shared memory, the OR of
 * each pool's wishes.
 */
import { wishForBuffers } from '../../atomics/flag.js';
import { BuffersWanted } from '../../protocol/client-memory.js';

export class BufferWishes {
  readonly #words: Int32Array;
  /** Rings the client if it sleeps. */
  readonly #ring: () => void;
  /** By bit: how many pools wish it. */
  #recycled = 0;
  #copiedOut = 0;
  #wished = 0;

  constructor(words: Int32Array, ring: () => void) {
    this.#words = words;
    this.#ring = ring;
  }

  /** A pool that wished `before` wishes `after`. */
  change(before: number, after: number): void {
    this.#recycled += delta(before, after, BuffersWanted.RECYCLED);
    this.#copiedOut += delta(before, after, BuffersWanted.COPIED_OUT);
    const wished =
      (this.#recycled > 0 ? BuffersWanted.RECYCLED : 0) | (this.#copiedOut > 0 ? BuffersWanted.COPIED_OUT : 0);
    if (wished === this.#wished) return;
    const news = (wished & ~this.#wished & BuffersWanted.COPIED_OUT) !== 0;
    this.#wished = wished;
    wishForBuffers(this.#words, wished);
    // After the store: a client that sleeps without having seen the wish is woken to copy.
    if (news) this.#ring();
  }
}

function delta(before: number, after: number, bit: number): number {
  return ((after & bit) === 0 ? 0 : 1) - ((before & bit) === 0 ? 0 : 1);
}
