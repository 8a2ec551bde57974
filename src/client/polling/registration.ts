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
import { INTEREST_READABLE, INTEREST_WRITABLE } from '../../protocol/interest.js';
import { Ready } from './events.js';
import { PollOpt } from './interest.js';

/** What a registration needs to know of its source. */
export interface ReadinessSource {
  /** Bits of {@link Ready} that hold now. */
  readiness(): number;
}

/** What a registration needs of its Poll. */
export interface ReadyList {
  enqueue(registration: Registration): void;
}

/** Bits of a registration's state. */
const QUEUED = 1;
const DISARMED = 2;
const ENDED = 4;

/** What an interest hears of, by interest: its own bits, their ends, and errors always. */
const MASKS = [0, INTEREST_READABLE, INTEREST_WRITABLE, INTEREST_READABLE | INTEREST_WRITABLE].map((interest) => {
  const readable = (interest & INTEREST_READABLE) !== 0 ? Ready.READABLE | Ready.READ_CLOSED : 0;
  const writable = (interest & INTEREST_WRITABLE) !== 0 ? Ready.WRITABLE | Ready.WRITE_CLOSED : 0;
  return Ready.ERROR | readable | writable;
});

export class Registration {
  readonly source: ReadinessSource;
  readonly list: ReadyList;
  token = 0;
  interest = 0;
  /** The link of the ready list. */
  next: Registration | undefined;
  /** Of the same source, with another Poll. */
  sibling: Registration | undefined;
  options = 0;
  /** What changed since the last delivery. */
  #edges = 0;
  #state = 0;

  constructor(source: ReadinessSource, list: ReadyList) {
    this.source = source;
    this.list = list;
  }

  /** (Re)places everything, and queues an event if the new interest is satisfied already. */
  set(token: number, interest: number, options: number): void {
    this.token = token;
    this.interest = interest;
    this.options = options;
    this.#state &= ~DISARMED;
    this.#edges = 0;
    this.raise(this.source.readiness());
  }

  /** The source's state has changed in these bits. */
  raise(bits: number): void {
    if ((this.#state & (DISARMED | ENDED)) !== 0) return;
    this.#edges |= bits & this.#mask();
    if (this.#edges === 0 || (this.#state & QUEUED) !== 0) return;
    this.#state |= QUEUED;
    this.list.enqueue(this);
  }

  /** Taken from the ready list: the bits to deliver, 0 for none. Queues itself again if it is to be asked again. */
  deliver(): number {
    this.#state &= ~QUEUED;
    if (this.#state !== 0) return 0;
    const now = this.source.readiness() & this.#mask();
    const level = (this.options & PollOpt.LEVEL) !== 0;
    const due = level ? now : now & this.#edges;
    this.#edges = 0;
    if (due === 0) return 0;
    if ((this.options & PollOpt.ONESHOT) !== 0) this.#state |= DISARMED;
    else if (level) this.raise(now);
    return now;
  }

  /** Deregistered: never delivers again, also if it is queued. */
  end(): void {
    this.#state |= ENDED;
  }

  #mask(): number {
    return MASKS[this.interest] as number;
  }
}
