/**
 * A signal to one client thread that any thread can raise: what `Awakener` and `Poll.interrupt` are made of. The order
 * of its steps is argued in atomics/signal.ts.
 */
import { ring } from '../../atomics/doorbell.js';
import { raiseSignal } from '../../atomics/signal.js';
import { fail } from '../../errors.js';
import { type Addon, loadAddon } from '../../native.js';
import type { Client } from '../link/client.js';

/** A signal's name; passes through `postMessage` and `workerData`. */
export interface SharedSignal {
  readonly sideport: 'signal';
  readonly clientId: number;
  /** The client's control memory, for its doorbell word and its signal counter. */
  readonly memory: SharedArrayBuffer;
  /** The signal's own word. */
  readonly signal: SharedArrayBuffer;
}

export class RemoteSignal {
  readonly #addon: Addon;
  readonly #clientId: number;
  readonly #words: Int32Array;
  readonly #signal: Int32Array;

  private constructor(addon: Addon, clientId: number, words: Int32Array, signal: Int32Array) {
    this.#addon = addon;
    this.#clientId = clientId;
    this.#words = words;
    this.#signal = signal;
  }

  static to(client: Client, signal: Int32Array): RemoteSignal {
    return new RemoteSignal(client.addon, client.clientId, client.words, signal);
  }

  /** @throws ERR_SIDEPORT_INVALID_ARG */
  static from(shared: SharedSignal): RemoteSignal {
    if (shared?.sideport !== 'signal' || !(shared.signal instanceof SharedArrayBuffer)) {
      throw fail('ERR_SIDEPORT_INVALID_ARG', 'Not a shared name: expected what share() gave');
    }
    const [words, signal] = [new Int32Array(shared.memory), new Int32Array(shared.signal)];
    return new RemoteSignal(loadAddon(), shared.clientId, words, signal);
  }

  /** The signal's words. */
  get word(): Int32Array {
    return this.#signal;
  }

  get name(): SharedSignal {
    const memory = this.#words.buffer as SharedArrayBuffer;
    return { sideport: 'signal', clientId: this.#clientId, memory, signal: this.#signal.buffer as SharedArrayBuffer };
  }

  /** Raises the signal and rings the client if it sleeps. */
  raise(): void {
    raiseSignal(this.#signal, this.#words);
    ring(this.#words, this.#addon, this.#clientId);
  }
}
