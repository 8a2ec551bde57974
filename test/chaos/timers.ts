/**
 * Timers that move, those that expire once and those with an interval. Each expiry is read exactly once, by whoever has the timer then: never before it
 * is due, and all that were due by the end.
 */
import { type DetachedTimer, Events, Interest, type IoThread, Poll, Timer } from '../../src/index.js';
import { toShared } from '../../src/protocol/clock.js';
import type { Random } from '../util/random.js';
import { PATIENCE_MS } from '../util/thread.js';
import { type Handlers, type Kind, type Owner, type Role, send, until } from './kinds.js';
import type { FromOwner, ToOwner } from './messages.js';

/** When a timer is due first, as closely as its setter can tell, on the clock that threads share. */
interface Due {
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** A timer on its way, and what its owners know of it. */
export interface CarriedTimer {
  readonly id: number;
  readonly name: DetachedTimer;
  readonly firstDue: Due;
  /** 0: it expires once; whoever reads that sets it again. */
  readonly intervalMs: number;
  /** Expiries that were read since it was set. */
  readonly read: number;
}

export type ToTimerOwner =
  | { readonly kind: 'take timer'; readonly timer: CarriedTimer }
  | { readonly kind: 'give timer'; readonly id: number };

export interface GivenTimer {
  readonly kind: 'given timer';
  readonly timer: CarriedTimer;
  /** Of one that expires once: how often it did, at this owner. */
  readonly fired: number;
}

interface Running {
  owner: Owner;
  /** It was told to give it away, to this one. */
  movingTo: Owner | undefined;
}

const TIMERS = 16;
/** How well the threads' clocks agree, and more. */
const TOLERANCE_MS = 0.5;

export class Timers implements Kind {
  readonly counters = { timers: 0, timerMoves: 0, timersLost: 0, expiriesRead: 0 };
  readonly #ioThread: IoThread;
  readonly #random: Random;
  readonly #owners = new Set<Owner>();
  readonly #running = new Map<number, Running>();
  /** Collected at the end. */
  readonly #collected: CarriedTimer[] = [];
  #finishing = false;

  constructor(ioThread: IoThread, random: Random) {
    this.#ioThread = ioThread;
    this.#random = random;
  }

  began(owner: Owner): void {
    this.#owners.add(owner);
  }

  /** Its timers went with it. */
  ended(owner: Owner): void {
    this.#owners.delete(owner);
    for (const [id, running] of this.#running) {
      if (running.owner !== owner) continue;
      this.#running.delete(id);
      this.counters.timersLost++;
    }
  }

  step(): void {
    while (this.#running.size < TIMERS) this.#new();
    for (let batch = this.#random.integer(1, 8); batch > 0; batch--) this.#moveOne();
  }

  #moveOne(): void {
    const still = [...this.#running].filter(([, { movingTo, owner }]) => !movingTo && !owner.gone);
    if (still.length === 0) return;
    const [id, running] = still[this.#random.integer(0, still.length - 1)] as [number, Running];
    running.movingTo = this.#anyOwner();
    send(running.owner, { kind: 'give timer', id });
  }

  heard(owner: Owner, message: FromOwner): void {
    if (message.kind !== 'given timer') return;
    const { timer, fired } = message;
    const running = this.#running.get(timer.id);
    // Its owner was terminated right after, and it counts as lost: its name holds nothing.
    if (!running || running.owner !== owner || owner.gone) return;
    this.counters.expiriesRead += fired;
    if (this.#finishing) {
      this.#running.delete(timer.id);
      this.#collected.push(timer);
      return;
    }
    this.counters.timerMoves++;
    const to = running.movingTo?.gone === false ? running.movingTo : this.#anyOwner();
    this.#running.set(timer.id, { owner: to, movingTo: undefined });
    send(to, { kind: 'take timer', timer });
  }

  async finish(check: () => void): Promise<void> {
    this.#finishing = true;
    for (const [id, { owner, movingTo }] of this.#running) if (!movingTo) send(owner, { kind: 'give timer', id });
    await until(
      () => this.#running.size === 0,
      () => `${this.#running.size} timers did not come back`,
      check,
    );
    using poll = new Poll({ ioThread: this.#ioThread });
    for (const carried of this.#collected) await this.#checkLast(carried, poll);
  }

  close(): void {}

  /** Everything that was due was read, or can be now. */
  async #checkLast({ id, name, firstDue, intervalMs, read: readBefore }: CarriedTimer, poll: Poll): Promise<void> {
    const events = new Events();
    using timer = Timer.attach(name);
    poll.registry.register(timer, 0, Interest.READABLE);
    let read = readBefore;
    const untilMs = performance.now() + PATIENCE_MS;
    // From the first expiry on that did not come with it, the I/O thread has it.
    for (let first = timer.read(); ; first = timer.read()) {
      read += first ?? 0;
      if (intervalMs === 0 ? read > 0 : read > readBefore + name.expirations) break;
      if (performance.now() > untilMs) throw new Error(`timer ${id} does not expire any more`);
      await poll.wait(events, 100);
    }
    const least = dueBy(firstDue.latestMs, intervalMs, toShared(performance.now()) - TOLERANCE_MS);
    // Between two of its answers it has looked at what is due.
    await this.#ioThread.stats();
    await this.#ioThread.stats();
    poll.poll(events, 0);
    read += timer.read() ?? 0;
    const most = dueBy(firstDue.earliestMs, intervalMs, toShared(performance.now()) + TOLERANCE_MS);
    if (read < least || read > most)
      throw new Error(`timer ${id}, every ${intervalMs} ms, expired ${read} times, not ${least} to ${most}`);
  }

  #anyOwner(): Owner {
    const alive = [...this.#owners].filter(({ gone }) => !gone);
    return alive[this.#random.integer(0, alive.length - 1)] as Owner;
  }

  #new(): void {
    const id = this.counters.timers++;
    const owner = this.#anyOwner();
    const intervalMs = this.#random.unit() < 0.5 ? 0 : this.#random.integer(1, 50);
    const timer = new Timer();
    const firstDue = setTimer(timer, this.#random.integer(1, 50), intervalMs);
    this.#running.set(id, { owner, movingTo: undefined });
    send(owner, { kind: 'take timer', timer: { id, name: timer.detach(), firstDue, intervalMs, read: 0 } });
  }
}

interface Owned {
  readonly timer: Timer;
  readonly token: number;
  carried: Omit<CarriedTimer, 'name'>;
  fired: number;
}

export class TimerRole implements Role {
  readonly #poll: Poll;
  readonly #handlers: Handlers;
  readonly #random: Random;
  readonly #tell: (message: GivenTimer) => void;
  readonly #owned = new Map<number, Owned>();

  constructor(poll: Poll, handlers: Handlers, random: Random, tell: (message: GivenTimer) => void) {
    this.#poll = poll;
    this.#handlers = handlers;
    this.#random = random;
    this.#tell = tell;
  }

  heard(message: ToOwner): boolean {
    if (message.kind === 'take timer') this.#take(message.timer);
    else if (message.kind === 'give timer') this.#give(message.id);
    else return false;
    return true;
  }

  #take({ name, ...carried }: CarriedTimer): void {
    const timer = Timer.attach(name);
    const token = this.#handlers.add(() => this.#expired(owned));
    const owned: Owned = { timer, token, carried, fired: 0 };
    this.#owned.set(carried.id, owned);
    this.#poll.registry.register(timer, token, Interest.READABLE);
  }

  #give(id: number): void {
    const { timer, token, carried, fired } = this.#owned.get(id) as Owned;
    this.#owned.delete(id);
    this.#handlers.remove(token);
    this.#tell({ kind: 'given timer', timer: { ...carried, name: timer.detach() }, fired });
  }

  #expired(owned: Owned): void {
    const count = owned.timer.read();
    // Read already, with what had expired when it was attached.
    if (count === null) return;
    owned.fired += count;
    const read = owned.carried.read + count;
    const { id, firstDue, intervalMs } = owned.carried;
    const due = dueBy(firstDue.earliestMs, intervalMs, toShared(performance.now()) + TOLERANCE_MS);
    if (read > due) throw new Error(`timer ${id} has expired ${read} times, and was due ${due} times`);
    if (intervalMs > 0) {
      owned.carried = { ...owned.carried, read };
    } else {
      const firstDue = setTimer(owned.timer, this.#random.integer(0, 50), 0);
      owned.carried = { ...owned.carried, firstDue, read: 0 };
    }
  }
}

/** Between two looks at the clock. */
function setTimer(timer: Timer, delayMs: number, intervalMs: number): Due {
  const earliestMs = toShared(performance.now()) + delayMs;
  timer.set(delayMs, intervalMs);
  return { earliestMs, latestMs: toShared(performance.now()) + delayMs };
}

/** How often it has expired by then. */
function dueBy(firstDueMs: number, intervalMs: number, nowMs: number): number {
  if (nowMs < firstDueMs) return 0;
  return intervalMs === 0 ? 1 : 1 + Math.floor((nowMs - firstDueMs) / intervalMs);
}
