/**
 * One source's registration with one Poll: the one place where edge, level and oneshot differ.
 *
 * ```
 *                 raise(bits), interest matches
 *      quiet ─────────────────────────────────────► queued in the Poll's ready list
 *        ▲                                            │ deliver()
 *        ├── nothing ready any more: dropped ◄────────┤
 *        ├── edge: delivered ◄────────────────────────┤
 *        │             level: delivered, queued again ┘ (at the tail: others come first)
 *        └── oneshot: delivered and disarmed, until reregister
 * ```
 *
 * What is delivered is the source's state *then*, masked by the interest *then*: so an event that a read, a
 * reregister or a deregister overtook is never seen.
 */

import { INTEREST_ALL, INTEREST_READABLE, INTEREST_WRITABLE } from '../../protocol/interest.js';
import type { DetachedRegistration, DetachedSource } from '../../protocol/transfer.js';
import { Ready } from './events.js';
import { PollOpt } from './interest.js';

/** What a registration needs to know of its source. */
export interface ReadinessSource {
  /** Bits of {@link Ready} that hold now. */
  readiness(): number;
  /** The Poll closes: ends the registration with it. */
  forgetPoll(list: ReadyList): void;
  /**
   * The Poll is to move: how this goes along. Nothing is changed before the returned function is called, which no longer fails unless the I/O
   * thread ends; it is called with all events drained.
   *
   * @throws ERR_SIDEPORT_NOT_MOVABLE, ERR_SIDEPORT_LEASE_HELD, ERR_SIDEPORT_IO_THREAD_GONE
   */
  departure(): () => DetachedSource;
}

/** What a registration needs of its Poll. */
export interface ReadyList {
  enqueue(registration: Registration): void;
  /** Of all registrations that have not ended; the others follow as `older`. */
  newest: Registration | undefined;
}

// All of a registration's bits in one word, since a program may have ten thousand of them: interest, options, edges, state.
const OPTIONS_SHIFT = 2;
const OPTIONS_MASK = 7;
/** What changed since the last delivery: bits of `Ready`. */
const EDGES_SHIFT = 5;
const EDGES = 31 << EDGES_SHIFT;
const QUEUED = 1 << 10;
const DISARMED = 1 << 11;
const ENDED = 1 << 12;

/** What an interest hears of, by interest: its own bits, their ends, and errors always. */
const MASKS = [0, INTEREST_READABLE, INTEREST_WRITABLE, INTEREST_ALL].map((interest) => {
  const readable = (interest & INTEREST_READABLE) !== 0 ? Ready.READABLE | Ready.READ_CLOSED : 0;
  const writable = (interest & INTEREST_WRITABLE) !== 0 ? Ready.WRITABLE | Ready.WRITE_CLOSED : 0;
  return Ready.ERROR | readable | writable;
});

export class Registration {
  readonly source: ReadinessSource;
  readonly list: ReadyList;
  token = 0;
  /** The link of the ready list. */
  next: Registration | undefined;
  /** Of the same source, with another Poll. */
  sibling: Registration | undefined;
  /** With the same Poll. */
  older: Registration | undefined;
  #newer: Registration | undefined;
  #bits = 0;

  constructor(source: ReadinessSource, list: ReadyList) {
    this.source = source;
    this.list = list;
    this.older = list.newest;
    if (this.older) this.older.#newer = this;
    list.newest = this;
  }

  get interest(): number {
    return this.#bits & INTEREST_ALL;
  }

  get options(): number {
    return (this.#bits >> OPTIONS_SHIFT) & OPTIONS_MASK;
  }

  /** (Re)places everything, and queues an event if the new interest is satisfied already. */
  set(token: number, interest: number, options: number): void {
    this.token = token;
    this.#bits = (this.#bits & (QUEUED | ENDED)) | interest | (options << OPTIONS_SHIFT);
    this.raise(this.source.readiness());
  }

  /** As it is at this moment, to go on elsewhere. */
  describe(): Omit<DetachedRegistration, 'source'> {
    return {
      token: this.token,
      interest: this.interest,
      options: this.options,
      disarmed: (this.#bits & DISARMED) !== 0,
      edges: (this.#bits & EDGES) >> EDGES_SHIFT,
      ready: this.source.readiness(),
    };
  }

  /** Goes on as another was described: what was not delivered is still to be, and so is what has become ready on the way. */
  resume({ edges, ready, disarmed }: DetachedRegistration): void {
    this.#bits &= ~EDGES;
    if (disarmed) this.#bits |= DISARMED;
    else this.raise(edges | (this.source.readiness() & ~ready));
  }

  /** The source's state has changed in these bits. */
  raise(bits: number): void {
    if ((this.#bits & (DISARMED | ENDED)) !== 0) return;
    this.#bits |= (bits & (MASKS[this.interest] as number)) << EDGES_SHIFT;
    if ((this.#bits & EDGES) === 0 || (this.#bits & QUEUED) !== 0) return;
    this.#bits |= QUEUED;
    this.list.enqueue(this);
  }

  /** Taken from the ready list: the bits to deliver, 0 for none. Queues itself again if it is to be asked again. */
  deliver(): number {
    const edges = (this.#bits & EDGES) >> EDGES_SHIFT;
    this.#bits &= ~QUEUED;
    if ((this.#bits & (DISARMED | ENDED)) !== 0) return 0;
    this.#bits &= ~EDGES;
    const now = this.source.readiness() & (MASKS[this.interest] as number);
    const level = (this.options & PollOpt.LEVEL) !== 0;
    if ((level ? now : now & edges) === 0) return 0;
    if ((this.options & PollOpt.ONESHOT) !== 0) this.#bits |= DISARMED;
    else if (level) this.raise(now);
    return now;
  }

  /** Deregistered: never delivers again, also if it is queued. Idempotent. */
  end(): void {
    if ((this.#bits & ENDED) !== 0) return;
    this.#bits |= ENDED;
    if (this.#newer) this.#newer.older = this.older;
    else this.list.newest = this.older;
    if (this.older) this.older.#newer = this.#newer;
    this.older = undefined;
    this.#newer = undefined;
  }
}
