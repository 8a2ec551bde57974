/**
 * Channels: values from any number of threads to one, whose end is a source.
 *
 * Values travel over message ports, one per sender; shared memory says how many are under way and rings the receiver.
 *
 * ```
 *   sender: reserve a place (bounded) ─► postMessage ─► raise the signal
 *   receiver: take the signal ─► take from the ports, round robin ─► give the place back
 * ```
 *
 * Ordering. A message is in the receiver's port when postMessage returns, and the signal is raised after that: a receiver that takes
 * the signal finds the message.
 */
import { MessageChannel, MessagePort, receiveMessageOnPort, type TransferListItem } from 'node:worker_threads';
import { ChannelWords } from '../../atomics/channel-words.js';
import { newSignal, takeSignal } from '../../atomics/signal.js';
import { fail } from '../../errors.js';
import { checkInteger } from '../check-integer.js';
import { IoThread } from '../io-thread/io-thread.js';
import type { Client } from '../link/client.js';
import { kSource } from '../link/handle.js';
import { Ready } from '../polling/events.js';
import { RemoteSignal, type SharedSignal } from '../polling/remote-signal.js';
import { LocalSource } from './local-source.js';
import { SourceObject } from './source-object.js';

/** What travels: a value, the port of one sender more, or a sender's end. */
type Message<T> = { readonly value: T } | { readonly sender: MessagePort } | { readonly end: true };

/** What `sender.share()` gives. Goes through `postMessage` and `workerData` with `port` in the transfer list. */
export interface SharedSender {
  readonly sideport: 'sender';
  readonly port: MessagePort;
  readonly words: SharedArrayBuffer;
  readonly signal: SharedSignal;
}

const CAPACITY_MAX = 2 ** 30;

class ReceiverSource<T> extends LocalSource {
  readonly kind = 'Receiver';
  readonly words: ChannelWords;
  readonly signal = newSignal();
  readonly #ports: MessagePort[] = [];
  readonly #values: { readonly value: T }[] = [];

  constructor(client: Client, capacity: number) {
    super(client);
    this.words = ChannelWords.create(capacity);
  }

  readiness(): number {
    if (this.#ended) return Ready.READABLE | Ready.READ_CLOSED;
    return this.#values.length > 0 ? Ready.READABLE : 0;
  }

  look(): void {
    if (!takeSignal(this.signal)) return;
    this.#pump();
    this.raise(this.readiness());
  }

  addPort(port: MessagePort): void {
    // Neither receives by itself nor keeps this thread alive: it is only looked into.
    port.unref();
    // A sender whose thread has ended without closing it counts as closed.
    port.once('close', () => this.#portClosed(port));
    this.#ports.push(port);
  }

  receive(): { readonly value: T } | null {
    this.checkOpen();
    if (this.#values.length === 0) this.#pump();
    const received = this.#values.shift() ?? null;
    if (received) this.words.giveBack();
    return received;
  }

  /**
   * Every sender is closed; values may be left. A sender's port is taken off after everything that came through it, the port of one sender more
   * included: so there is always one while there is a sender.
   */
  get #ended(): boolean {
    return this.#ports.length === 0;
  }

  get ended(): boolean {
    this.checkOpen();
    if (this.#values.length === 0) this.#pump();
    return this.#ended && this.#values.length === 0;
  }

  override close(): void {
    if (this.closed) return;
    super.close();
    this.words.closeReceiver();
    for (const port of this.#ports.splice(0)) port.close();
    this.#values.length = 0;
  }

  /** One of each port, in turns, until all are empty. */
  #pump(): void {
    for (let any = true; any; ) {
      any = false;
      for (const port of [...this.#ports]) {
        const taken = receiveMessageOnPort(port)?.message as Message<T> | undefined;
        if (!taken) continue;
        any = true;
        if ('value' in taken) this.#values.push(taken);
        else if ('sender' in taken) this.addPort(taken.sender);
        else this.#forget(port);
      }
    }
  }

  /** Everything that came through it was taken: a port tells of its other end's close after all messages. */
  #portClosed(port: MessagePort): void {
    if (this.#forget(port) && this.#ended) this.raise(Ready.READABLE | Ready.READ_CLOSED);
  }

  #forget(port: MessagePort): boolean {
    const at = this.#ports.indexOf(port);
    if (at < 0) return false;
    this.#ports.splice(at, 1);
    port.close();
    return true;
  }
}

/** The sending end of a channel. Belongs to one thread; {@link share} makes another for another thread. */
export class Sender<T> {
  readonly #port: MessagePort;
  readonly #words: ChannelWords;
  readonly #remote: RemoteSignal;
  #closed = false;

  /** @internal */
  constructor(port: MessagePort, words: ChannelWords, remote: RemoteSignal) {
    this.#port = port;
    this.#words = words;
    this.#remote = remote;
    port.unref();
  }

  /** What another thread makes of a shared name. @throws ERR_SIDEPORT_INVALID_ARG */
  static from<T>(shared: SharedSender): Sender<T> {
    if (shared?.sideport !== 'sender' || !(shared.port instanceof MessagePort)) {
      throw fail('ERR_SIDEPORT_INVALID_ARG', 'Not a shared sender: expected what share() gave');
    }
    return new Sender<T>(shared.port, ChannelWords.of(shared.words), RemoteSignal.from(shared.signal));
  }

  /**
   * Sends a copy of `value`, as `postMessage` makes one.
   *
   * @param transferList  what is moved instead of copied
   * @returns false when the channel is full
   * @throws ERR_SIDEPORT_CLOSED when this sender or the receiver is closed; DataCloneError for what cannot be copied
   */
  trySend(value: T, transferList: readonly TransferListItem[] = []): boolean {
    this.#checkOpen();
    if (!this.#words.reserve()) return false;
    try {
      this.#port.postMessage({ value }, transferList);
    } catch (error) {
      this.#words.giveBack();
      throw error;
    }
    this.#remote.raise();
    return true;
  }

  /**
   * As {@link trySend}, and blocks this thread while the channel is full.
   *
   * @param timeoutMs  undefined: for ever
   * @returns false when the channel was full all the time
   */
  send(value: T, timeoutMs?: number, transferList: readonly TransferListItem[] = []): boolean {
    const untilMs = performance.now() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    for (;;) {
      if (this.trySend(value, transferList)) return true;
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return false;
      this.#words.awaitRoom(leftMs);
    }
  }

  /** A name that another thread makes a sender of; its port must be in the transfer list. @throws ERR_SIDEPORT_CLOSED */
  share(): SharedSender {
    this.#checkOpen();
    const { port1, port2 } = new MessageChannel();
    this.#port.postMessage({ sender: port1 }, [port1]);
    this.#remote.raise();
    return { sideport: 'sender', port: port2, words: this.#words.buffer, signal: this.#remote.name };
  }

  /** Nothing more comes from this sender; what it sent arrives. When all are closed the receiver hears of it. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#port.postMessage({ end: true });
    this.#remote.raise();
    this.#port.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw fail('ERR_SIDEPORT_CLOSED');
    if (this.#words.isReceiverClosed) throw fail('ERR_SIDEPORT_CLOSED', 'The receiver is closed');
  }
}

/** The receiving end of a channel: a source. Belongs to the thread that made the channel. */
export class Receiver<T> extends SourceObject<ReceiverSource<T>> {
  /** @internal */
  constructor(source: ReceiverSource<T>) {
    super(source);
  }

  /** The next value, wrapped, as a value may be null; null when there is none. One event may stand for many values. */
  recv(): { readonly value: T } | null {
    return this.#source.receive();
  }

  /** Every sender is closed and everything that they sent was received. */
  get ended(): boolean {
    return this.#source.ended;
  }

  get #source(): ReceiverSource<T> {
    return this[kSource];
  }
}

/** How to make a channel. */
export interface ChannelOptions {
  /** Values that may be under way; a full channel takes no more. Default: any number. */
  readonly capacity?: number;
  /** Whose Polls the receiver may be registered with. Default: this process's I/O thread. */
  readonly ioThread?: IoThread;
}

/**
 * A channel to this thread.
 *
 * @throws ERR_SIDEPORT_INVALID_ARG, and as `new Poll()`
 */
export function channel<T>(options: ChannelOptions = {}): { sender: Sender<T>; receiver: Receiver<T> } {
  const { capacity, ioThread = IoThread.default() } = options;
  if (capacity !== undefined) checkInteger('A capacity', capacity, 1, CAPACITY_MAX);
  const source = new ReceiverSource<T>(ioThread.client(), capacity ?? CAPACITY_MAX);
  const { port1, port2 } = new MessageChannel();
  source.addPort(port1);
  const sender = new Sender<T>(port2, source.words, RemoteSignal.to(ioThread.client(), source.signal));
  return { sender, receiver: new Receiver(source) };
}
