/** Sources that wait for something of this client's, and are asked again when there is some. */

/** A stream that found no room to write, or a listener that found no slot to lend. */
export interface Deferred {
  /** True when it is satisfied and need not be asked again. */
  retry(): boolean;
}

export class DeferredSources<Source extends Deferred = Deferred> {
  readonly #waiting = new Set<Source>();
  readonly #added: (source: Source) => void;
  readonly #left: (waiting: ReadonlySet<Source>) => void;

  /** `added` is called with each that begins to wait; `left` when some of them may have been satisfied, with those that go on waiting. */
  constructor(added: (source: Source) => void = () => {}, left: (waiting: ReadonlySet<Source>) => void = () => {}) {
    this.#added = added;
    this.#left = left;
  }

  add(source: Source): void {
    if (this.#waiting.has(source)) return;
    this.#waiting.add(source);
    this.#added(source);
  }

  forget(source: Source): void {
    if (this.#waiting.delete(source)) this.#left(this.#waiting);
  }

  askAgain(): void {
    if (this.#waiting.size === 0) return;
    for (const source of this.#waiting) if (source.retry()) this.#waiting.delete(source);
    this.#left(this.#waiting);
  }

  /** Only this one, if it waits. */
  ask(source: Source): void {
    if (this.#waiting.has(source) && source.retry()) this.forget(source);
  }
}
