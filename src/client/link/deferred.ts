/** Sources that wait for something of this client's, and are asked again when there is some. */

/** A stream that found no room to write, or a listener that found no slot to lend. */
export interface Deferred {
  /** True when it is satisfied and need not be asked again. */
  retry(): boolean;
}

export class DeferredSources {
  readonly #waiting = new Set<Deferred>();
  readonly #begun: () => void;
  readonly #over: () => void;

  /** `begun` is called before the first begins to wait, `over` when none waits any more. */
  constructor(begun = () => {}, over = () => {}) {
    this.#begun = begun;
    this.#over = over;
  }

  add(source: Deferred): void {
    if (this.#waiting.size === 0) this.#begun();
    this.#waiting.add(source);
  }

  forget(source: Deferred): void {
    if (this.#waiting.delete(source) && this.#waiting.size === 0) this.#over();
  }

  askAgain(): void {
    if (this.#waiting.size === 0) return;
    for (const source of this.#waiting) if (source.retry()) this.#waiting.delete(source);
    if (this.#waiting.size === 0) this.#over();
  }

  /** Only this one, if it waits. */
  ask(source: Deferred): void {
    if (this.#waiting.has(source) && source.retry()) this.forget(source);
  }
}
