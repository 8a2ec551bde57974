/**
 * What piles up during a turn, to be worked off at one point of it. An array that keeps its length: setting it to 0 and filling it again
 * costs more than the work, several times a turn.
 */
export class Batch<T extends object> {
  readonly #items: (T | undefined)[] = [];
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(item: T): void {
    this.#items[this.#count++] = item;
  }

  /** Calls `work` with each, those included that it adds. */
  workOff(work: (item: T) => void): void {
    for (let at = 0; at < this.#count; at++) {
      const item = this.#items[at] as T;
      this.#items[at] = undefined;
      work(item);
    }
    this.#count = 0;
  }
}
