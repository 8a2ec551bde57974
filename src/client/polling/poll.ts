/**
 * `Poll`: waits for readiness, blocking or not.
 *
 * ```
 *            poll()                     wait(), for await
 *   idle ───────────► blocking       idle ──────────────► waiting ──events, time-out, interrupt, abort──► idle
 *     ▲                  │             (a poll or wait now: ERR_SIDEPORT_POLL_BUSY)
 *     ├──────────────────┘
 *     └──detach()──► closed here; its sources are nobody's until attach(name)
 * ```
 */
import { isMainThread } from 'node:worker_threads';
import { newSignal, takeSignal } from '../../atomics/signal.js';
import { fail } from '../../errors.js';
import type { DetachedPoll } from '../../protocol/transfer.js';
import { IoThread } from '../io-thread/io-thread.js';
import type { Client } from '../link/client.js';
import type { SignalListener } from '../link/signals.js';
import { type Event, Events } from './events.js';
import { PendingWait } from './pending-wait.js';
import { attachAll, claimPoll, detachAll, ioThreadOf, type MovableSource } from './poll-transfer.js';
import { ReadyQueue } from './ready-list.js';
import { Registry } from './registry.js';
import { RemoteSignal, type SharedSignal } from './remote-signal.js';
import { PollSpin } from './spin.js';

export interface PollOptions {
  /** The I/O thread to attach to. Default: this process's, started if need be. */
  readonly ioThread?: IoThread;
  /**
   * How long to look for events before this thread sleeps, in microseconds; adaptive: only while it pays. For threads with a core of their own, to which
   * the 25 us or so that it takes to wake a thread matter: others run the slower for it. {@link Poll.wait} keeps its event loop
   * waiting meanwhile, 16 times in a row at most. Default 0: never.
   */
  readonly spinUs?: number;
}

export interface WaitOptions {
  /** Rejects the wait with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What `poll.share()` gives: passes through `postMessage` and `workerData`. */
export type SharedPoll = SharedSignal;

/** What another thread may do to a Poll. */
export interface PollHandle {
  /** As `Poll.interrupt`. Without effect once the Poll's thread has ended. */
  interrupt(): void;
}

/** What `Poll.attach` gives: a Poll of this thread, and its sources. */
export interface AttachedPoll {
  readonly poll: Poll;
  /** Each with its token, in the order in which they were registered: `new Map(sources)` when each has a token of its own. */
  readonly sources: readonly (readonly [token: number, source: MovableSource])[];
}

/** So many waits in a row are answered without the event loop; then it gets its turn, so that timers and others run. */
const IMMEDIATE_MAX = 16;

let warnedOfSignals = false;

/** Belongs to the thread that made it; {@link share} lets others interrupt it, {@link detach} hands it over. */
export class Poll implements AsyncIterable<Event> {
  readonly registry: Registry;
  readonly #client: Client;
  readonly #ready = new ReadyQueue();
  readonly #signal = newSignal();
  readonly #pending: PendingWait;
  readonly #spin: PollSpin;
  readonly #interrupts: SignalListener = {
    look: () => {
      if (takeSignal(this.#signal)) this.#interrupted = true;
    },
  };
  #interrupted = false;
  #closed = false;
  #immediate = 0;

  /** @throws ERR_SIDEPORT_START_FAILED, ERR_SIDEPORT_PERMISSION, ERR_SIDEPORT_BACKEND, ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_INVALID_ARG */
  constructor({ ioThread = IoThread.default(), spinUs = 0 }: PollOptions = {}) {
    this.#client = ioThread.client();
    this.#spin = new PollSpin(this.#client, spinUs);
    this.#pending = new PendingWait(this.#client, (events) => this.#collect(events));
    this.registry = new Registry(this.#client, this.#ready, () => this.#checkOpen());
    this.#client.signals.add(this.#interrupts);
  }

  /**
   * Blocks this thread until something is ready. It never returns without an event before the time-out, unless interrupted.
   *
   * A blocked thread runs no JavaScript: no timers, no promises, and on the main thread no signal handlers.
   *
   * @param events  is cleared and filled
   * @param timeoutMs  undefined: for ever; 0: only look; fractions round up
   * @returns the number of events
   * @throws ERR_SIDEPORT_POLL_BUSY while a wait is pending, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_INVALID_ARG,
   * ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_DETACHED
   */
  poll(events: Events, timeoutMs?: number): number {
    const limitMs = this.#begin(events, timeoutMs);
    if (limitMs === Number.POSITIVE_INFINITY) warnOfSignals();
    const untilMs = performance.now() + limitMs;
    for (;;) {
      this.#client.drainForPoll();
      if (this.#collect(events)) return events.length;
      const leftMs = untilMs - performance.now();
      if (limitMs === 0 || leftMs <= 0) return 0;
      this.#client.checkAlive();
      if (!this.#spin.finds(leftMs)) this.#client.block(Math.max(0, Math.ceil(untilMs - performance.now())));
    }
  }

  /**
   * As {@link poll}, without blocking. A pending wait keeps this thread alive, unless {@link unref} was called.
   *
   * @returns the number of events; rejects where `poll` throws, and with the signal's reason when aborted
   */
  wait(events: Events, timeoutMs?: number, options?: WaitOptions): Promise<number> {
    // Not an async function, which makes several objects more than the promise for each call.
    try {
      const limitMs = this.#begin(events, timeoutMs);
      options?.signal?.throwIfAborted();
      const untilMs = limitMs === Number.POSITIVE_INFINITY ? limitMs : performance.now() + limitMs;
      return this.#immediateEvents(events, limitMs) ?? this.#pend(events, untilMs, options?.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Ends a blocking poll or a pending wait, or else the next one, with `events.interrupted` and whatever is ready.
   * Several interrupts before that are one.
   */
  interrupt(): void {
    this.#remote().raise();
  }

  /** A name by which another thread can interrupt this Poll, see {@link Poll.from}. */
  share(): SharedPoll {
    return this.#remote().name;
  }

  /** What another thread makes of a shared name. */
  static from(shared: SharedPoll): PollHandle {
    const remote = RemoteSignal.from(shared);
    return { interrupt: () => remote.raise() };
  }

  /**
   * Lets go of this Poll and of every source that is registered with it, for another thread to {@link attach}. Each source goes on exactly where it
   * stands, as by its own `detach`: nothing that it received or accepted, or was to send, is lost, doubled or reordered. Each registration goes on as well:
   * token, interest, options, whether a oneshot has been delivered, and what was raised and not delivered. This Poll and the objects of the
   * sources are closed. It goes as a whole: what is thrown is thrown before anything is changed.
   *
   * Along go TcpStream, UnixStream, ForeignStream, NamedPipe, TcpListener, UnixListener, UdpSocket, UnixDatagram and Timer, and those of them that a custom source is made of (what
   * the program knows of it is the program's to take along). Not registered, not taken along. Everything else belongs to its thread for
   * life: deregister or close it first. Of a pending `interrupt` nothing goes along, and names given by {@link share} are of this Poll alone.
   *
   * What nobody attaches within `transferTimeoutMs` is closed as by `close`; the file of a Unix socket stays then.
   *
   * @returns a name that passes through `postMessage` and `workerData` to threads of this process; good for one attach
   * @throws ERR_SIDEPORT_NOT_MOVABLE for a channel's Receiver, a Registration or an Awakener, and for a source that is
   * registered with another Poll as well; ERR_SIDEPORT_LEASE_HELD while a lease of a stream or datagram socket is not released;
   * ERR_SIDEPORT_POLL_BUSY while a wait is pending; ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_DETACHED
   */
  detach(): DetachedPoll {
    this.#checkOpen();
    if (this.#pending.isPending) throw fail('ERR_SIDEPORT_POLL_BUSY');
    const name = detachAll(this.registry);
    this.close();
    return name;
  }

  /**
   * Takes over a Poll that another thread, or this one, has detached: a Poll of this thread with objects of this thread for its sources, registered as they
   * were. What was raised and not delivered comes with the next poll, and so does what has become ready on the way; connections that were
   * not accepted and datagrams that were not read are told of anew.
   *
   * @param name  what `detach` gave; good for one attach
   * @param options  of the new Poll, which is this thread's
   * @throws ERR_SIDEPORT_TRANSFER_USED the second time; ERR_SIDEPORT_TRANSFER_EXPIRED after `transferTimeoutMs`, when all of it is closed (timers alone
   * do not expire); ERR_SIDEPORT_LIMIT when there are not slots for all (the name stays good then); ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_INVALID_ARG
   */
  static attach(name: DetachedPoll, { spinUs = 0 }: Pick<PollOptions, 'spinUs'> = {}): AttachedPoll {
    const ioThread = ioThreadOf(name);
    const poll = new Poll({ ioThread, spinUs });
    try {
      claimPoll(ioThread.client(), name);
      return { poll, sources: attachAll(poll.registry, name) };
    } catch (error) {
      poll.close();
      throw error;
    }
  }

  /** Events one by one, for ever: until the Poll is closed, or the loop is left. Interrupts are skipped. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Event> {
    // One at a time: an event that waits here could be overtaken by a deregister.
    const events = new Events(1);
    while (!this.#closed) {
      try {
        await this.wait(events);
      } catch (error) {
        if (this.#closed) return;
        throw error;
      }
      yield* events;
    }
  }

  /** Undoes {@link unref}, also for a wait that is pending. */
  ref(): this {
    return this.#reference(true);
  }

  /** This Poll's waits, a pending one included, no longer keep the thread alive; it may end before they settle. */
  unref(): this {
    return this.#reference(false);
  }

  /** Whether a pending wait keeps, or would keep, the thread alive. */
  hasRef(): boolean {
    return this.#pending.referenced;
  }

  /** Ends all registrations, and a pending wait with ERR_SIDEPORT_CLOSED. Sources stay open. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.registry.end();
    this.#client.signals.remove(this.#interrupts);
    this.#pending.reject(fail('ERR_SIDEPORT_CLOSED'));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #begin(events: Events, timeoutMs: number | undefined): number {
    this.#checkOpen();
    if (!(events instanceof Events)) throw fail('ERR_SIDEPORT_INVALID_ARG', 'Expected an Events to fill');
    if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
      throw fail('ERR_SIDEPORT_INVALID_ARG', `A time-out is a number of milliseconds >= 0, not ${String(timeoutMs)}`);
    }
    if (this.#pending.isPending) throw fail('ERR_SIDEPORT_POLL_BUSY');
    this.#client.checkAlive();
    events.clear();
    return timeoutMs === undefined ? Number.POSITIVE_INFINITY : Math.ceil(timeoutMs);
  }

  #reference(referenced: boolean): this {
    this.#pending.referenced = referenced;
    return this;
  }

  #checkOpen(): void {
    if (this.#closed) throw fail('ERR_SIDEPORT_CLOSED');
  }

  /** True if there is something to return with. */
  #collect(events: Events): boolean {
    this.#ready.deliver(events);
    events.interrupted = this.#interrupted;
    this.#interrupted = false;
    return events.interrupted || events.length > 0;
  }

  /** What is ready now, without the event loop; undefined if the wait has to go on with it. */
  #immediateEvents(events: Events, limitMs: number): Promise<number> | undefined {
    if (this.#immediate === IMMEDIATE_MAX) return undefined;
    this.#client.drainForPoll();
    if (!this.#collect(events) && limitMs > 0 && !this.#collectLater(events, limitMs)) return undefined;
    this.#immediate++;
    return Promise.resolve(events.length);
  }

  /** As {@link collect}, of what comes while this thread looks for it. */
  #collectLater(events: Events, limitMs: number): boolean {
    if (!this.#spin.finds(limitMs)) return false;
    this.#client.drainForPoll();
    return this.#collect(events);
  }

  #pend(events: Events, untilMs: number, signal: AbortSignal | undefined): Promise<number> {
    this.#immediate = 0;
    const promise = this.#pending.begin(events, untilMs, signal);
    // What this Poll has already would ring no bell.
    if (!this.#ready.isEmpty || this.#interrupted) this.#client.waits.scheduleSettle();
    return promise;
  }

  #remote(): RemoteSignal {
    return RemoteSignal.to(this.#client, this.#signal);
  }
}

/** The main thread runs no signal handlers while it blocks; whoever has some should know. */
function warnOfSignals(): void {
  if (warnedOfSignals || !isMainThread) return;
  if (!process.eventNames().some((name) => typeof name === 'string' && name.startsWith('SIG'))) return;
  warnedOfSignals = true;
  process.emitWarning(
    'poll() without a time-out blocks the main thread, where signal handlers do not run meanwhile; ' +
      'use wait(), a time-out, or poll on a worker thread',
    'SideportWarning',
  );
}
