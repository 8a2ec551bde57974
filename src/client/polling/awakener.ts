/**
 * `Awakener`: wakes a Poll from any thread. It goes straight to the thread that polls, through shared memory, without
 * the I/O thread: one hop less, and it works whatever the sockets do.
 */
import { newSignal, takeSignal } from '../../atomics/signal.js';
import { fail } from '../../errors.js';
import { INTEREST_READABLE } from '../../protocol/interest.js';
import type { SignalListener } from '../link/signals.js';
import { Ready } from './events.js';
import { checkToken } from './interest.js';
import { Registration } from './registration.js';
import type { Registry } from './registry.js';
import { RemoteSignal, type SharedSignal } from './remote-signal.js';

/** What `awakener.share()` gives: passes through `postMessage` and `workerData`. */
export type SharedAwakener = SharedSignal;

/** What another thread holds of an Awakener. */
export interface AwakenerHandle {
  /** As `Awakener.wake`. Without effect once the Poll's thread has ended or the Awakener is closed. */
  wake(): void;
}

/**
 * Several wakes before a poll give at least one event, *readable* with the Awakener's token; a wake before a poll is
 * not lost. A Poll may have any number of Awakeners.
 */
export class Awakener implements AwakenerHandle {
  readonly #registry: Registry;
  readonly #registration: Registration;
  readonly #signal = newSignal();
  readonly #remote: RemoteSignal;
  readonly #listener: SignalListener;
  #awakened = false;
  #closed = false;

  /** @throws ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_IO_THREAD_GONE */
  constructor(registry: Registry, token: number) {
    checkToken(token);
    registry.client.checkAlive();
    this.#registry = registry;
    const source = {
      readiness: () => this.#take(),
      forgetPoll: () => this.#registration.end(),
      departure: () => {
        throw fail(
          'ERR_SIDEPORT_NOT_MOVABLE',
          'An Awakener belongs to its Poll, which cannot move before it is closed',
        );
      },
    };
    this.#registration = new Registration(source, registry.list);
    this.#registration.set(token, INTEREST_READABLE, 0);
    this.#remote = RemoteSignal.to(registry.client, this.#signal);
    this.#listener = { look: () => this.#look() };
    registry.client.signals.add(this.#listener);
  }

  /** Makes the Poll's current or next poll return with this Awakener's event. From the Poll's own thread, too. */
  wake(): void {
    if (this.#closed) throw fail('ERR_SIDEPORT_CLOSED');
    this.#remote.raise();
  }

  /** A name that another thread makes an {@link AwakenerHandle} of. */
  share(): SharedAwakener {
    return this.#remote.name;
  }

  /** @throws ERR_SIDEPORT_INVALID_ARG */
  static from(shared: SharedAwakener): AwakenerHandle {
    const remote = RemoteSignal.from(shared);
    return { wake: () => remote.raise() };
  }

  /** No more events, also none under way. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#registration.end();
    this.#registry.client.signals.remove(this.#listener);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #look(): void {
    if (!takeSignal(this.#signal)) return;
    this.#awakened = true;
    this.#registration.raise(Ready.READABLE);
  }

  /** Delivering the event consumes it: one event for all wakes before. */
  #take(): number {
    const ready = this.#awakened ? Ready.READABLE : 0;
    this.#awakened = false;
    return ready;
  }
}
