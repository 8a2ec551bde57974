/** `Timer`: a source that becomes readable by time. The I/O thread keeps the time, whatever this thread does. */
import { useName } from '../../atomics/claim.js';
import { setTimerDueMs, takeExpirations, takeReadiness } from '../../atomics/readiness.js';
import { fail } from '../../errors.js';
import { Readiness } from '../../protocol/client-memory.js';
import { toLocal, toShared } from '../../protocol/clock.js';
import { EventKind } from '../../protocol/events.js';
import { CloseMode } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import { type DetachedTimer, NameUse } from '../../protocol/transfer.js';
import { checkInteger } from '../check-integer.js';
import type { Client } from '../link/client.js';
import { kSource } from '../link/handle.js';
import { Ready } from '../polling/events.js';
import { Source } from './source.js';
import { SourceObject } from './source-object.js';

const DELAY_MAX_MS = 2 ** 31 - 1;
const DISARMED = -1;

class TimerSource extends Source {
  readonly kind = 'Timer';
  /** When it was set to expire first, by this thread's clock; undefined when it is not set. */
  #dueMs: number | undefined;
  #intervalMs = 0;
  /** Settings submitted so far; the I/O thread counts as well. */
  #setting = 0;
  #expirations = 0;
  /** Of this setting, those that were read included. */
  #counted = 0;

  constructor() {
    super(undefined, -1);
  }

  readiness(): number {
    return this.#expirations > 0 ? Ready.READABLE : 0;
  }

  set(delayMs: number, intervalMs: number): void {
    this.checkOpen();
    this.client?.checkAlive();
    this.#expirations = 0;
    this.#counted = 0;
    this.#intervalMs = intervalMs;
    this.#dueMs = delayMs === DISARMED ? undefined : performance.now() + delayMs;
    if (this.client) this.#submit(this.client);
  }

  read(): number | null {
    this.checkOpen();
    const count = this.#expirations;
    this.#expirations = 0;
    if (count > 0) return count;
    this.client?.checkAlive();
    return null;
  }

  dispatch(kind: number): void {
    if (kind !== EventKind.READY) return;
    const { words } = this.client as Client;
    if ((takeReadiness(words, this.slot) & Readiness.EXPIRED) === 0) return;
    const count = takeExpirations(words, this.slot, this.#setting);
    this.#expirations += count;
    this.#counted += count;
    if (this.#expirations > 0) this.raise(Ready.READABLE);
  }

  /**
   * Its state at this moment. What has expired and was not counted here is counted where it goes on, because it is set to when it was due
   * then: so nobody waits for the I/O thread.
   */
  detach(): DetachedTimer {
    this.checkOpen();
    const goesOn = this.#dueMs !== undefined && (this.#intervalMs > 0 || this.#counted === 0);
    const name = {
      sideport: 'detached-timer',
      use: new SharedArrayBuffer(4),
      dueMs: goesOn ? toShared((this.#dueMs as number) + this.#counted * this.#intervalMs) : undefined,
      intervalMs: this.#intervalMs,
      expirations: this.#expirations,
    } as const;
    this.close();
    return name;
  }

  protected override leaving(): () => DetachedTimer {
    return () => this.detach();
  }

  static attached(name: DetachedTimer): TimerSource {
    const { dueMs, intervalMs, expirations } = name;
    const timer = new TimerSource();
    timer.#dueMs = dueMs === undefined ? undefined : toLocal(dueMs);
    timer.#intervalMs = intervalMs;
    timer.#expirations = expirations;
    return timer;
  }

  override close(): void {
    // There is nothing to flush.
    this.end(CloseMode.RESET);
  }

  protected open(client: Client): void {
    client.submit(Submission.OPEN_TIMER, this.slot, this.generation);
    if (this.#dueMs !== undefined) this.#submit(client);
  }

  protected ending(): void {}

  #submit(client: Client): void {
    this.#setting = (this.#setting + 1) | 0;
    if (this.#dueMs !== undefined) setTimerDueMs(client.words, this.slot, this.#dueMs);
    this.submit(Submission.SET_TIMER, this.#dueMs === undefined ? 0 : 1, this.#intervalMs);
  }
}

/**
 * A timer. It runs from the moment it is set; its events come once it is registered for READABLE. A timer alone keeps no thread alive: a pending
 * `wait` does.
 */
export class Timer extends SourceObject<TimerSource> {
  /** A timer that is not set. */
  constructor(source = new TimerSource()) {
    super(source);
  }

  /** A timer that expires once, in `delayMs` milliseconds. @throws ERR_SIDEPORT_INVALID_ARG */
  static after(delayMs: number): Timer {
    const timer = new Timer();
    timer.set(delayMs);
    return timer;
  }

  /** A timer that expires every `intervalMs` milliseconds, for the first time when the first have passed. @throws ERR_SIDEPORT_INVALID_ARG */
  static every(intervalMs: number): Timer {
    const timer = new Timer();
    timer.set(intervalMs, intervalMs);
    return timer;
  }

  /**
   * Takes over a timer that another thread, or this one, has detached. It is registered nowhere; it keeps its beat, and what expired meanwhile
   * counts.
   *
   * @param name  what `detach` gave; good for one attach, whenever
   * @throws ERR_SIDEPORT_TRANSFER_USED the second time, ERR_SIDEPORT_INVALID_ARG
   */
  static attach(name: DetachedTimer): Timer {
    if (name?.sideport !== 'detached-timer') throw fail('ERR_SIDEPORT_INVALID_ARG', 'Not the name of a detached timer');
    if (useName(new Int32Array(name.use)) !== NameUse.FRESH) throw fail('ERR_SIDEPORT_TRANSFER_USED');
    return new Timer(TimerSource.attached(name));
  }

  /**
   * Lets go of this timer, in whatever state it is, for another thread to {@link attach}: when it is due, its interval, and what has
   * expired and was not read. Its registrations end, this object is closed.
   *
   * @returns a name that passes through `postMessage` and `workerData` to threads of this process
   * @throws ERR_SIDEPORT_CLOSED
   */
  detach(): DetachedTimer {
    return this[kSource].detach();
  }

  /**
   * Sets the timer, anew if it was set: what has expired and was not read is forgotten.
   *
   * @param delayMs  until it expires: 0 to 2^31-1; fractions round up
   * @param intervalMs  from one expiry to the next: 1 to 2^31-1, on the beat of the first; 0, the default: there is only one
   * @throws ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE
   */
  set(delayMs: number, intervalMs = 0): void {
    this[kSource].set(milliseconds('delay', delayMs), milliseconds('interval', intervalMs));
  }

  /** Stops it, and forgets what has expired and was not read. @throws ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE */
  cancel(): void {
    this[kSource].set(DISARMED, 0);
  }

  /** How often it has expired since it was set or last read; null if it has not. */
  read(): number | null {
    return this[kSource].read();
  }
}

function milliseconds(what: string, value: number): number {
  const rounded = typeof value === 'number' ? Math.ceil(value) : value;
  checkInteger(`A timer's ${what} in milliseconds`, rounded, 0, DELAY_MAX_MS);
  return rounded;
}
