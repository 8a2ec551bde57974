/**
 * How a thread waits for its client's news: blocked, or on its event loop with the doorbell raised. Only the event loop settles
 * waits: a blocking poll never runs another Poll's callbacks.
 */
import { Sleeper } from '../../atomics/doorbell.js';
import type { SideportError } from '../../errors.js';
import type { ThreadLink } from '../../native.js';
import { type Hold, Holds } from './holds.js';

/** Blocking waits look this often whether the I/O thread still lives; its death cannot notify a blocked thread. */
const LIVENESS_SLICE_MS = 100;

/** A Poll, as far as its client is concerned. */
export interface Waiter {
  /** Taken while it waits. */
  readonly hold: Hold;
  /** Settles a pending wait if there is something to settle it with. */
  settle(): void;
  /** The I/O thread is gone, or has detached this thread. */
  fail(error: SideportError): void;
}

/** What is waited for. */
export interface News {
  /** Whether something waits to be drained; looks at everything that a ringer publishes, with SeqCst loads. */
  hasNews(): boolean;
  drain(): void;
  readonly isAlive: boolean;
  /** Looks whether the I/O thread lives, and tells everybody if it does not. */
  probe(): boolean;
}

export class Waits {
  /** Whoever takes one is called back, and keeps this thread alive unless unref'ed. */
  readonly holds = new Holds(() => this.#relisten());
  readonly #link: ThreadLink;
  readonly #news: News;
  readonly #sleeper: Sleeper;
  readonly #waiters = new Set<Waiter>();
  readonly #hasNews = () => this.#news.hasNews();
  #settleScheduled = false;
  #referenced = false;

  constructor(words: Int32Array, link: ThreadLink, news: News) {
    this.#sleeper = new Sleeper(words);
    this.#link = link;
    this.#news = news;
  }

  /** A wait is pending: the doorbell settles it. */
  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    waiter.hold.take();
  }

  remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    waiter.hold.drop();
  }

  get pending(): boolean {
    return this.#waiters.size > 0;
  }

  /** Settles pending waits on the event loop's next turn: somebody else drained what they wait for. */
  scheduleSettle(): void {
    if (this.#settleScheduled) return;
    this.#settleScheduled = true;
    setImmediate(() => {
      this.#settleScheduled = false;
      this.#settleAll();
    });
  }

  /** The doorbell: runs on this thread's event loop. */
  rung(): void {
    this.#sleeper.calledBack();
    this.#settleAll();
  }

  /** Blocks until there is news, for `timeoutMs` at most. May notice the end of the I/O thread. */
  block(timeoutMs: number): void {
    this.#sleeper.block(Math.min(timeoutMs, LIVENESS_SLICE_MS), this.#hasNews);
    this.#news.probe();
    // The doorbell was lowered for this: whoever waits on the event loop must raise it again.
    if (this.holds.taken) this.scheduleSettle();
  }

  /** The I/O thread has ended. */
  fail(error: SideportError): void {
    const waiters = [...this.#waiters];
    this.#sleeper.stopListening();
    // Never inside a blocking poll's call: the waits' continuations run on the event loop.
    for (const waiter of waiters) waiter.fail(error);
  }

  #settleAll(): void {
    // Whoever schedules this may have seen that this thread was detached, and would see it for ever.
    this.#news.probe();
    this.#news.drain();
    for (const waiter of [...this.#waiters]) waiter.settle();
    this.#relisten();
  }

  /** Keeps the doorbell raised exactly while somebody on the event loop waits, and this thread alive for whoever wants it. */
  #relisten(): void {
    const { taken, referenced } = this.holds;
    if (referenced !== this.#referenced) {
      this.#referenced = referenced;
      if (referenced) this.#link.ref();
      else this.#link.unref();
    }
    if (!taken || !this.#news.isAlive) this.#sleeper.stopListening();
    else if (!this.#sleeper.listen(this.#hasNews)) this.scheduleSettle();
  }
}
