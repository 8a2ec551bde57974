/**
 * Bytes whose position can be told from their content: what is lost, doubled or reordered shows. The period
 * is a prime, so no chunk size or buffer size divides it.
 */
import { Random } from './random.js';

/** A connection that carries a pattern says first which one, in so many bytes. */
export const PREFIX_BYTES = 4;

const PERIOD = 1_048_573;

export class Pattern {
  /** Twice the period and more, so any chunk is one slice. */
  readonly #bytes: Buffer;

  constructor(seed: number, chunkMax: number) {
    const period = new Random(seed).bytes(PERIOD);
    this.#bytes = Buffer.alloc(PERIOD + chunkMax);
    for (let at = 0; at < this.#bytes.length; at += PERIOD) period.copy(this.#bytes, at);
  }

  /** The bytes at `position` of the stream. @throws RangeError when that is more than `chunkMax` and there are not so many */
  at(position: number, length: number): Buffer {
    const from = position % PERIOD;
    if (from + length > this.#bytes.length)
      throw new RangeError(`${length} bytes are more than the pattern's chunkMax`);
    return this.#bytes.subarray(from, from + length);
  }

  matches(position: number, bytes: Uint8Array): boolean {
    return this.at(position, bytes.length).equals(bytes);
  }
}
