/**
 * The events of one poll: values copied when the poll returns, in objects that the next poll reuses.
 */
import { INTEREST_READABLE, INTEREST_WRITABLE } from '../../protocol/interest.js';
import { checkInteger } from '../check-integer.js';

/** What a source is ready for. The low bits are an interest's. */
export const Ready = {
  READABLE: INTEREST_READABLE,
  WRITABLE: INTEREST_WRITABLE,
  ERROR: 4,
  READ_CLOSED: 8,
  WRITE_CLOSED: 16,
} as const;

/** One source's readiness. Valid until its `Events` are polled into again. */
export class Event {
  /** As given to `register`. */
  token = 0;
  /** @internal */
  ready = 0;

  /** `read`, `take` or `accept` will have something to say. */
  get isReadable(): boolean {
    return (this.ready & Ready.READABLE) !== 0;
  }

  /** `write` will take bytes, or `takeError` has the reason why connecting failed. */
  get isWritable(): boolean {
    return (this.ready & Ready.WRITABLE) !== 0;
  }

  /** The source has failed; see `takeError`. A hint: false does not rule an error out. */
  get isError(): boolean {
    return (this.ready & Ready.ERROR) !== 0;
  }

  /** The peer will send no more (what it sent may still be unread). A hint. */
  get isReadClosed(): boolean {
    return (this.ready & Ready.READ_CLOSED) !== 0;
  }

  /** Nothing more can be sent. A hint. */
  get isWriteClosed(): boolean {
    return (this.ready & Ready.WRITE_CLOSED) !== 0;
  }
}

const CAPACITY_MAX = 2 ** 20;

/** Room for a number of events, to be reused from poll to poll. */
export class Events implements Iterable<Event> {
  /** The most events that one poll delivers; the others come with the next. */
  readonly capacity: number;
  /** The last poll was ended by `poll.interrupt()`. */
  interrupted = false;
  readonly #events: Event[] = [];
  #length = 0;

  /** @throws ERR_SIDEPORT_INVALID_ARG unless `capacity` is an integer from 1 to 2^20 */
  constructor(capacity = 1024) {
    checkInteger('A capacity', capacity, 1, CAPACITY_MAX);
    this.capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Forgets the events; a poll does so by itself. */
  clear(): void {
    this.#length = 0;
    this.interrupted = false;
  }

  /** @internal */
  add(token: number, ready: number): void {
    let event = this.#events[this.#length];
    if (event === undefined) this.#events[this.#length] = event = new Event();
    this.#length++;
    event.token = token;
    event.ready = ready;
  }

  /** @internal The next of them after so many; undefined behind the last. */
  at(index: number): Event | undefined {
    return index < this.#length ? this.#events[index] : undefined;
  }

  [Symbol.iterator](): Iterator<Event> {
    return new EventIterator(this);
  }
}

/**
 * Neither a generator nor an object with a closure: in a loop that is optimised nothing of a class this plain is really made, nor of its results, as
 * long as there is one place that makes them.
 */
class EventIterator implements Iterator<Event> {
  readonly #events: Events;
  #at = 0;

  constructor(events: Events) {
    this.#events = events;
  }

  next(): IteratorResult<Event> {
    const value = this.#events.at(this.#at++);
    return { done: value === undefined, value } as IteratorResult<Event>;
  }
}
