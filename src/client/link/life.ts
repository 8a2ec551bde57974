/**
 * Whether the I/O thread lives and serves this thread, as far as this thread has noticed.
 *
 * ```
 *   serving ──it says GONE or DETACHED, or its port is closed──► ended ──its port is closed──► gone
 * ```
 *
 * Ended: nothing is submitted any more, and everybody who waits is told. Gone: nothing comes any more either. An I/O thread that
 * flushes before it ends lies in between.
 */
import { status } from '../../atomics/flag.js';
import { fail, type SideportError } from '../../errors.js';
import type { ThreadLink } from '../../native.js';
import { ClientStatus } from '../../protocol/client-memory.js';
import { Hold, type Holds } from './holds.js';

/** Whoever is told. */
export interface Survivor {
  /** What was published before the end is to be taken now. */
  lastDrain(): void;
  ended(error: SideportError): void;
  /** This thread's link to the port is given back. */
  gone(): void;
}

export class Life {
  readonly #words: Int32Array;
  readonly #link: ThreadLink;
  readonly #survivor: Survivor;
  readonly #listeners = new Set<() => void>();
  readonly #hold: Hold;
  #end: SideportError | undefined;
  #gone = false;

  constructor(words: Int32Array, link: ThreadLink, holds: Holds, survivor: Survivor) {
    this.#words = words;
    this.#link = link;
    this.#hold = new Hold(holds);
    this.#survivor = survivor;
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Has the I/O thread ended, or thrown this thread out? Then everybody who waits is told. Costs a native call. */
  look(): void {
    if (this.#gone) return;
    const portIsOpen = this.#link.isAlive();
    if (this.#end === undefined) {
      const now = status(this.#words);
      if (now === ClientStatus.DETACHED) this.#finish(fail('ERR_SIDEPORT_DETACHED'));
      else if (now === ClientStatus.GONE || !portIsOpen) this.#finish(fail('ERR_SIDEPORT_IO_THREAD_GONE'));
    }
    if (!portIsOpen) this.#letGo();
  }

  /** @throws ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_DETACHED */
  check(): void {
    if (this.#end === undefined && status(this.#words) !== ClientStatus.ATTACHED) this.look();
    if (this.#end !== undefined) throw fail(this.#end.code);
  }

  /** News as well: a thread thrown out between the raising of its flag and its sleep would wait for a bell that has rung. */
  isDetachedUnnoticed(): boolean {
    return this.#end === undefined && status(this.#words) === ClientStatus.DETACHED;
  }

  /**
   * `listener` is called once the I/O thread is gone; until then, or until the returned function is called, this
   * thread stays alive for it.
   */
  onGone(listener: () => void): () => void {
    this.look();
    if (this.#gone) {
      listener();
      return () => {};
    }
    this.#listeners.add(listener);
    this.#hold.take();
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#hold.drop();
    };
  }

  #finish(error: SideportError): void {
    this.#survivor.lastDrain();
    this.#end = error;
    this.#survivor.ended(error);
  }

  /** Gives back what this thread has of a closed port. A bell that was rung for it may never be heard. */
  #letGo(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#link.detach();
    this.#survivor.gone();
    if (this.#listeners.size > 0) setImmediate(() => this.#tellGone());
  }

  #tellGone(): void {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    this.#hold.drop();
    for (const listener of listeners) listener();
  }
}
