/** What flows over the streams of a chaos run: one pattern for all, which each stream enters elsewhere, and each way elsewhere. */
import { Pattern } from '../util/pattern.js';

export const CHUNK_MAX = 65_536;

export class Traffic {
  readonly #pattern: Pattern;

  constructor(seed: number) {
    this.#pattern = new Pattern(seed, CHUNK_MAX);
  }

  /** What the peer of a stream sends, or expects of its owners. */
  at(id: number, way: 'in' | 'out', position: number, length: number): Buffer {
    return this.#pattern.at(entry(id, way) + position, length);
  }

  /** @throws when it is not what was sent there: something was lost, doubled or reordered */
  check(id: number, way: 'in' | 'out', position: number, bytes: Uint8Array): void {
    if (this.#pattern.matches(entry(id, way) + position, bytes)) return;
    throw new Error(`stream ${id}, ${way}: wrong bytes among ${bytes.length} at ${position}`);
  }
}

function entry(id: number, way: 'in' | 'out'): number {
  return 7919 * id + (way === 'in' ? 0 : 500_000);
}
