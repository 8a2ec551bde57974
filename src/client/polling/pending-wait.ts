/**
 * A Poll's wait, while one is pending: what settles it, when its time is up, who may abort it.
 *
 * ```
 *   idle ──begin──► pending ──events, interrupt, time-out, abort, failure──► idle
 * ```
 *
 * One object serves all waits of a Poll, one after another: a thread that waits thousands of times a second makes a promise for each, and
 * nothing else.
 */
import { fail, type SideportError } from '../../errors.js';
import type { Client } from '../link/client.js';
import { Hold } from '../link/holds.js';
import type { Waiter } from '../link/waits.js';
import type { Events } from './events.js';

/** Timers hold 31 bits of milliseconds; what is longer waits that long and then again. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export class PendingWait implements Waiter {
  readonly hold: Hold;
  readonly #client: Client;
  readonly #collect: (events: Events) => boolean;
  /** To be filled; undefined while idle. */
  #events: Events | undefined;
  #resolve: ((count: number) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #untilMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;
  // Made once, since each wait needs them.
  readonly #executor = (resolve: (count: number) => void, reject: (error: unknown) => void) => {
    this.#resolve = resolve;
    this.#reject = reject;
  };
  readonly #expire = () => this.#expired();
  readonly #abort = () => this.reject(this.#signal?.reason);

  /** `collect` fills the events with what is ready; true if there is something to settle with. */
  constructor(client: Client, collect: (events: Events) => boolean) {
    this.#client = client;
    this.#collect = collect;
    this.hold = new Hold(client.waits.holds);
  }

  get isPending(): boolean {
    return this.#events !== undefined;
  }

  /** Whether a wait keeps, or would keep, this thread alive. */
  get referenced(): boolean {
    return this.hold.referenced;
  }

  set referenced(referenced: boolean) {
    this.hold.referenced = referenced;
    if (referenced) this.#timer?.ref();
    else this.#timer?.unref();
  }

  /** Settles with the number of events, by `untilMs` of `performance.now()` at the latest. None is pending. */
  begin(events: Events, untilMs: number, signal: AbortSignal | undefined): Promise<number> {
    const promise = new Promise(this.#executor);
    this.#events = events;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort);
    this.#untilMs = untilMs;
    if (untilMs !== Number.POSITIVE_INFINITY) this.#startTimer();
    this.#client.waits.add(this);
    return promise;
  }

  settle(): void {
    if (this.#events && this.#collect(this.#events)) this.#fulfil(this.#events);
  }

  fail(error: SideportError): void {
    if (this.isPending) this.reject(fail(error.code));
  }

  /** Ends a wait that is pending, if there is one. */
  reject(error: unknown): void {
    const reject = this.#reject;
    this.#end();
    reject?.(error);
  }

  #fulfil({ length }: Events): void {
    const resolve = this.#resolve;
    this.#end();
    resolve?.(length);
  }

  #end(): void {
    if (!this.isPending) return;
    this.#events = undefined;
    this.#resolve = undefined;
    this.#reject = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#signal = undefined;
    this.#client.waits.remove(this);
  }

  /** Also for no time at all: it is the event loop that settles, after others have had their turn. */
  #startTimer(): void {
    const leftMs = Math.max(0, this.#untilMs - performance.now());
    this.#timer = setTimeout(this.#expire, Math.min(Math.ceil(leftMs), TIMER_MAX_MS));
    if (!this.referenced) this.#timer.unref();
  }

  /** A last look: events and the time-out may be due in the same turn of the event loop. */
  #expired(): void {
    if (performance.now() < this.#untilMs) return this.#startTimer();
    this.#client.drainForPoll();
    this.settle();
    if (this.#events) this.#fulfil(this.#events);
  }
}
