/**
 * `IoThread`: the thread that owns the completion port. Most programs use the default one, without ever naming it.
 */
import { isMainThread, type Worker } from 'node:worker_threads';
import { fail, SideportError } from '../../errors.js';
import { type Addon, Claim, loadAddon } from '../../native.js';
import type { IoThreadStats } from '../../protocol/control.js';
import { PROTOCOL_VERSION } from '../../protocol/port-records.js';
import type { Client } from '../link/client.js';
import { type Attachment, attachmentTo } from './attach.js';
import { configure, type IoThreadOptions } from './options.js';
import { startError, startIoThread } from './start.js';

export type { IoThreadOptions };

/** An I/O thread's name; passes through `postMessage` and `workerData`. */
export interface SharedIoThread {
  readonly sideport: 'io-thread';
  readonly portId: number;
}

let defaultThread: IoThread | undefined;
let warnedOffMain = false;

/** A handle; any number of threads may hold handles of the same I/O thread. */
export class IoThread {
  readonly #addon: Addon;
  readonly #portId: number;
  readonly #worker: Worker | undefined;
  #attachment: Attachment | undefined;

  private constructor(addon: Addon, portId: number, worker?: Worker) {
    this.#addon = addon;
    this.#portId = portId;
    this.#worker = worker;
  }

  /**
   * Starts an I/O thread of one's own; it ends with {@link close}, or with this thread. Returns when it runs (20 to 50 ms).
   *
   * @throws ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_START_FAILED, ERR_SIDEPORT_BACKEND, ERR_SIDEPORT_PERMISSION
   */
  static start(options: IoThreadOptions = {}): IoThread {
    const configuration = configure(options);
    const addon = tryLoadAddon(options.addonPath);
    const { portId, worker } = startIoThread(addon, configuration, options);
    return new IoThread(addon, portId, worker);
  }

  /**
   * This process's I/O thread, which all threads share; started by whichever asks first. It lives no longer than
   * that thread, so let the main thread be the first.
   *
   * @throws as {@link start}
   */
  static default(): IoThread {
    const addon = tryLoadAddon();
    let thread = defaultThread ?? elect(addon);
    while (!thread.#attachIfAlive()) thread = elect(addon);
    defaultThread = thread;
    return thread;
  }

  /** What another thread makes of a shared name. @throws ERR_SIDEPORT_INVALID_ARG */
  static from(shared: SharedIoThread): IoThread {
    if (shared?.sideport !== 'io-thread' || !Number.isInteger(shared.portId)) {
      throw fail('ERR_SIDEPORT_INVALID_ARG', 'Not a shared IoThread: expected what share() gave');
    }
    return new IoThread(tryLoadAddon(), shared.portId);
  }

  /** @internal */
  static elected(addon: Addon, portId: number, worker?: Worker): IoThread {
    return new IoThread(addon, portId, worker);
  }

  /** A name that another thread makes a handle of, see {@link IoThread.from}. */
  share(): SharedIoThread {
    return { sideport: 'io-thread', portId: this.#portId };
  }

  /** The backend that really runs: `'io_uring'`, `'epoll'` or `'poll'`; `stats()` says why not a better one. Attaches. */
  get backend(): string {
    return this.#attach().backend;
  }

  /** False once it has ended. */
  get isAlive(): boolean {
    return this.#attachIfAlive();
  }

  /** What it has done and holds. @throws ERR_SIDEPORT_IO_THREAD_GONE */
  async stats(): Promise<IoThreadStats> {
    return this.#attach().service.stats();
  }

  /**
   * Ends the I/O thread: every thread that uses it is told (ERR_SIDEPORT_IO_THREAD_GONE), accepted writes are sent for
   * `lingerMs` at most. Resolves when it has ended; at once if it had.
   */
  async close(): Promise<void> {
    const attachment = this.#attachUnlessGone();
    if (!attachment) return;
    const { client, service } = attachment;
    const ended = new Promise<void>((resolve) => client.onGone(resolve));
    const exited = this.#workerExit();
    // It may end before its answer arrives, by this call or another thread's.
    if (client.isAlive) await service.close().catch(() => {});
    await ended;
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal This thread's tie to it. @throws ERR_SIDEPORT_IO_THREAD_GONE */
  client(): Client {
    const { client } = this.#attach();
    client.probe();
    client.checkAlive();
    return client;
  }

  /** False if it has ended, perhaps since it was elected. */
  #attachIfAlive(): boolean {
    return this.#attachUnlessGone()?.client.probe() ?? false;
  }

  #attachUnlessGone(): Attachment | undefined {
    try {
      return this.#attach();
    } catch (error) {
      if (error instanceof SideportError && error.code === 'ERR_SIDEPORT_IO_THREAD_GONE') return undefined;
      throw error;
    }
  }

  #attach(): Attachment {
    this.#attachment ??= attachmentTo(this.#addon, this.#portId);
    return this.#attachment;
  }

  /** On the thread that started it: resolves when its worker has exited, and keeps this thread alive until then. */
  #workerExit(): Promise<void> | undefined {
    const worker = this.#worker;
    // Node's sign that the exit event is past.
    if (!worker || worker.threadId === -1) return undefined;
    worker.ref();
    return new Promise((resolve) => worker.once('exit', () => resolve()));
  }
}

/** Finds the process's I/O thread, or starts it if this thread is the one to do so. */
function elect(addon: Addon): IoThread {
  for (;;) {
    const claim = addon.electionClaim(PROTOCOL_VERSION);
    if (claim === Claim.WON) return win(addon);
    if (claim > 0) return IoThread.elected(addon, claim);
    addon.electionWait(PROTOCOL_VERSION, 100);
  }
}

function win(addon: Addon): IoThread {
  try {
    const { portId, worker } = startIoThread(addon, configure({}), {});
    addon.electionResolve(PROTOCOL_VERSION, portId);
    if (!isMainThread && !warnedOffMain) {
      warnedOffMain = true;
      process.emitWarning(
        "sideport's I/O thread was started by a worker thread and ends with it, for every thread of the process; " +
          'call IoThread.default() on the main thread first',
        'SideportWarning',
      );
    }
    return IoThread.elected(addon, portId, worker);
  } catch (error) {
    addon.electionAbandon(PROTOCOL_VERSION);
    throw error;
  }
}

function tryLoadAddon(path?: string): Addon {
  try {
    return loadAddon(path);
  } catch (error) {
    throw startError(error as NodeJS.ErrnoException);
  }
}
