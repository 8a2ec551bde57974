/**
 * Streams that wait for a receive buffer, in the order in which they came; those with nothing unread go first, because
 * for the others some reader has yet to come anyway.
 */
import type { BufferHolder } from './receive-pool.js';

export class Starving {
  // Sets keep the order of insertion, and lose a member without a search.
  readonly #first = new Set<BufferHolder>();
  readonly #others = new Set<BufferHolder>();

  get size(): number {
    return this.#first.size + this.#others.size;
  }

  get withNothingUnread(): number {
    return this.#first.size;
  }

  add(holder: BufferHolder, nothingUnread: boolean): void {
    if (this.#first.has(holder) || this.#others.has(holder)) return;
    (nothingUnread ? this.#first : this.#others).add(holder);
  }

  delete(holder: BufferHolder): boolean {
    return this.#first.delete(holder) || this.#others.delete(holder);
  }

  /** The stream's reader has caught up. */
  hasNothingUnread(holder: BufferHolder): void {
    if (this.#others.delete(holder)) this.#first.add(holder);
  }

  /** Takes those for whom there are buffers: `common` for anybody, `reserved` for streams with nothing unread. */
  take(common: number, reserved: number): BufferHolder[] {
    const taken = [...firstOf(this.#first, common + reserved)];
    taken.push(...firstOf(this.#others, common - taken.length));
    for (const holder of taken) this.delete(holder);
    return taken;
  }
}

function* firstOf(holders: Set<BufferHolder>, count: number): Iterable<BufferHolder> {
  let left = count;
  for (const holder of holders) {
    if (left-- <= 0) return;
    yield holder;
  }
}
