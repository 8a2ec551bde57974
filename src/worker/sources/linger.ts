/**
 * Streams that flush after their close, and until when. All have the same time, so the order in which
 * they began is the order in which they are due.
 */
import { CloseMode } from '../../protocol/port-records.js';

interface Lingering {
  close(mode: number): void;
}

export class Linger {
  readonly #lingerMs: number;
  /** Insertion order is due order. */
  readonly #dueMs = new Map<Lingering, number>();

  constructor(lingerMs: number) {
    this.#lingerMs = lingerMs;
  }

  add(stream: Lingering): void {
    this.#dueMs.set(stream, performance.now() + this.#lingerMs);
  }

  remove(stream: Lingering): void {
    this.#dueMs.delete(stream);
  }

  /** Resets what is overdue. */
  expire(nowMs: number): void {
    for (const [stream, dueMs] of this.#dueMs) {
      if (dueMs > nowMs) return;
      this.#dueMs.delete(stream);
      stream.close(CloseMode.RESET);
    }
  }

  get isEmpty(): boolean {
    return this.#dueMs.size === 0;
  }
}
