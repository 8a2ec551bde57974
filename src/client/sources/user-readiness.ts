/** `Registration` and `SetReadiness`: a source whose readiness programs set, from any thread. */
import { newSignalledValue, setSignalledValue, signalledValue, takeSignal } from '../../atomics/signal.js';
import { fail } from '../../errors.js';
import { IoThread } from '../io-thread/io-thread.js';
import type { Client } from '../link/client.js';
import { Ready } from '../polling/events.js';
import { RemoteSignal, type SharedSignal } from '../polling/remote-signal.js';
import { LocalSource } from './local-source.js';
import { SourceObject } from './source-object.js';

const READY_ALL = Object.values(Ready).reduce((all, bit) => all | bit, 0);

class UserReadiness extends LocalSource {
  readonly signal = newSignalledValue();
  readonly kind = 'Registration';

  // Public: a registration is made for one client.
  constructor(client: Client) {
    super(client);
  }

  /** What was set last, also when its signal has not come yet: never less than what {@link look} raised. */
  readiness(): number {
    return signalledValue(this.signal) & READY_ALL;
  }

  look(): void {
    if (takeSignal(this.signal)) this.raise(this.readiness());
  }

  remote(): RemoteSignal {
    return RemoteSignal.to(this.owner, this.signal);
  }
}

/** What `setReadiness.share()` gives: passes through `postMessage` and `workerData`. */
export type SharedSetReadiness = SharedSignal;

/** Sets the readiness of one {@link Registration}, on whatever thread it is. */
export class SetReadiness {
  readonly #remote: RemoteSignal;

  /** @internal */
  constructor(remote: RemoteSignal) {
    this.#remote = remote;
  }

  /** What another thread makes of a shared name. @throws ERR_SIDEPORT_INVALID_ARG */
  static from(shared: SharedSetReadiness): SetReadiness {
    return new SetReadiness(RemoteSignal.from(shared));
  }

  /**
   * From now on the source is ready for exactly this: bits of `Ready`, 0 for nothing. Polls that it is registered with hear of it; one that is
   * registered later, too. Each call is a change for EDGE, also if the bits are the same; several before a poll are one. Without effect once
   * the Registration is closed or its thread has ended.
   *
   * @throws ERR_SIDEPORT_INVALID_ARG
   */
  setReadiness(ready: number): void {
    if (!Number.isInteger(ready) || (ready & ~READY_ALL) !== 0) {
      throw fail('ERR_SIDEPORT_INVALID_ARG', `A readiness is made of bits of Ready, not ${String(ready)}`);
    }
    setSignalledValue(this.#remote.word, ready);
    this.#remote.raise();
  }

  /** What was set last, by whichever thread. */
  get readiness(): number {
    return signalledValue(this.#remote.word);
  }

  /** A name that another thread makes a `SetReadiness` of. */
  share(): SharedSetReadiness {
    return this.#remote.name;
  }
}

/** A source of events that the program itself brings about. Belongs to the thread that made it. */
export class Registration extends SourceObject<UserReadiness> {
  private constructor(source: UserReadiness) {
    super(source);
  }

  /**
   * A source that is ready for nothing, and what sets its readiness.
   *
   * @param ioThread  whose Polls it may be registered with. Default: this process's
   * @throws ERR_SIDEPORT_IO_THREAD_GONE, and as `new Poll()`
   */
  static create(ioThread: IoThread = IoThread.default()): { registration: Registration; setReadiness: SetReadiness } {
    const source = new UserReadiness(ioThread.client());
    return { registration: new Registration(source), setReadiness: new SetReadiness(source.remote()) };
  }
}
