/**
 * What a thread listens to its doorbell for, and whether it stays alive for it.
 *
 * A hold is taken while something is pending: a wait, a flushing close, the end of the I/O thread. While any is taken the
 * doorbell must ring; while any that is taken is referenced, the thread lives. As with Node's own handles a hold is
 * referenced until told otherwise, before it is taken or after.
 */
export class Holds {
  readonly #changed: () => void;
  #taken = 0;
  #referenced = 0;

  /** `changed` is called whenever {@link taken} or {@link referenced} may have become another. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Somebody listens for the doorbell. */
  get taken(): boolean {
    return this.#taken > 0;
  }

  /** The thread stays alive. */
  get referenced(): boolean {
    return this.#referenced > 0;
  }

  /** @internal */
  count(taken: number, referenced: number): void {
    this.#taken += taken;
    this.#referenced += referenced;
    this.#changed();
  }
}

export class Hold {
  readonly #holds: Holds;
  #taken = false;
  #referenced: boolean;

  constructor(holds: Holds, referenced = true) {
    this.#holds = holds;
    this.#referenced = referenced;
  }

  /** Idempotent, as are the others. */
  take(): void {
    if (this.#taken) return;
    this.#taken = true;
    this.#holds.count(1, this.#referenced ? 1 : 0);
  }

  drop(): void {
    if (!this.#taken) return;
    this.#taken = false;
    this.#holds.count(-1, this.#referenced ? -1 : 0);
  }

  get referenced(): boolean {
    return this.#referenced;
  }

  set referenced(referenced: boolean) {
    if (referenced === this.#referenced) return;
    this.#referenced = referenced;
    if (this.#taken) this.#holds.count(0, referenced ? 1 : -1);
  }
}
