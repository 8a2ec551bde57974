/** What is due by time, the earliest first: a binary heap that finds its members, so that each can be taken out again. */

export interface Timed {
  /** As `performance.now()` of this thread. */
  dueMs: number;
  /** Its place in the heap; -1 while it is in none. Only the heap writes it. */
  heapIndex: number;
}

export class TimerHeap<T extends Timed> {
  readonly #items: T[] = [];

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** The earliest. */
  get first(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    item.heapIndex = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  /** Idempotent. */
  remove(item: T): void {
    const at = item.heapIndex;
    if (at < 0) return;
    item.heapIndex = -1;
    const last = this.#items.pop() as T;
    if (last === item) return;
    this.#put(last, at);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(item: T): void {
    for (let at = item.heapIndex; at > 0; at = item.heapIndex) {
      const parent = this.#items[(at - 1) >> 1] as T;
      if (parent.dueMs <= item.dueMs) return;
      this.#put(parent, at);
      this.#put(item, (at - 1) >> 1);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const at = item.heapIndex;
      const left = this.#items[2 * at + 1];
      const right = this.#items[2 * at + 2];
      const least = right && left && right.dueMs < left.dueMs ? right : left;
      if (!least || least.dueMs >= item.dueMs) return;
      const place = least.heapIndex;
      this.#put(least, at);
      this.#put(item, place);
    }
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    item.heapIndex = at;
  }
}
