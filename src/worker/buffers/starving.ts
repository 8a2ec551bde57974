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

  /** Takes everybody, or only those with nothing unread. */
  take(everybody: boolean): BufferHolder[] {
    const taken = [...this.#first, ...(everybody ? this.#others : [])];
    this.#first.clear();
    if (everybody) this.#others.clear();
    return taken;
  }
}
