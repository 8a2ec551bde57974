/**
 * A TCP stream on its owner's thread: what was received and not yet read, what was written and not yet sent.
 *
 * ```
 *   reading:   open ──END(0)──► ended: read gives 0           writing:  connecting ──CONNECTED──► open
 *               └──END(errno), connecting failed──►                        │ FAILED      SENT(errno)│ shutdown
 *                  the error once, after all data; then 0                  └──────► closed ◄────────┘
 * ```
 *
 * One error slot serves both directions: `takeError`, or whichever of `read` and `write` meets it first, gives it once.
 */
import { readinessErrno, takeReadiness } from '../../atomics/readiness.js';
import { errnoOf, fail, type SystemError, systemError } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import type { SocketAddress } from '../../protocol/address.js';
import { Readiness, Slot, slotBase } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { ShutdownHow } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import { Lease, type Lender } from '../buffers/lease.js';
import type { Chunk } from '../buffers/received-data.js';
import { SendQueue } from '../buffers/send-queue.js';
import { Ready } from '../polling/events.js';
import { type SlotName, Source } from './source.js';

const EPIPE = errnoOf('EPIPE');
const ENOTCONN = errnoOf('ENOTCONN');
const ECANCELED = errnoOf('ECANCELED');
const EMPTY = new Uint8Array(new SharedArrayBuffer(0));

export class StreamSource extends Source implements Lender {
  readonly kind = 'TcpStream';
  readonly #remote: SocketAddress;
  readonly #remoteWire: Uint8Array;
  readonly #unread: Chunk[] = [];
  /** Chunks that leases are made of. */
  readonly #lent = new Set<Chunk>();
  #sends: SendQueue | undefined;
  #connected: boolean;
  #readEnded = false;
  #writeClosed = false;
  #error: SystemError | undefined;

  /** Connecting: a descriptor of our own, and the remote address for the I/O thread. */
  static connecting(descriptor: Descriptor, remote: SocketAddress, remoteWire: Uint8Array): StreamSource {
    return new StreamSource(descriptor, descriptor.fd, remote, remoteWire);
  }

  /** Accepted: the descriptor is the port's, ours to use until we close. */
  static accepted(name: SlotName, fd: number, peer: SocketAddress): StreamSource {
    return new StreamSource(undefined, fd, peer, new Uint8Array(0), name);
  }

  private constructor(
    descriptor: Descriptor | undefined,
    fd: number,
    remote: SocketAddress,
    remoteWire: Uint8Array,
    name?: SlotName,
  ) {
    super(descriptor, fd, name);
    this.#remote = remote;
    this.#remoteWire = remoteWire;
    this.#connected = name !== undefined;
  }

  // -- readiness -------------------------------------------------------------------------------------

  readiness(): number {
    let ready = 0;
    if (this.#unread.length > 0 || this.#readEnded) ready |= Ready.READABLE;
    if (this.#readEnded) ready |= Ready.READ_CLOSED;
    if (this.#writeClosed) ready |= Ready.WRITABLE | Ready.WRITE_CLOSED;
    else if (this.#connected && this.#hasRoom()) ready |= Ready.WRITABLE;
    // Whoever asks next meets it, whichever way: so the stream is ready both ways.
    if (this.#error) ready |= Ready.READABLE | Ready.WRITABLE | Ready.ERROR;
    return ready;
  }

  dispatch(kind: number, a: number, b: number): void {
    switch (kind) {
      case EventKind.DATA:
        return this.#data(a, b);
      case EventKind.SENT:
        return this.#sent(b);
      case EventKind.END:
        return this.#end(a);
      case EventKind.READY:
        return this.#ready();
    }
  }

  /** Asked again after a send completed: is there room now? */
  retry(): boolean {
    if (this.closed) return true;
    if (!this.#sendQueue().drained()) return false;
    this.raise(Ready.WRITABLE);
    return true;
  }

  #data(name: number, length: number): void {
    const { client, slot, generation } = this.name as SlotName;
    if (this.closed) return client.recycle(name);
    this.#unread.push(client.received.add({ slot, generation }, name, length));
    this.raise(Ready.READABLE);
  }

  #end(errno: number): void {
    this.#readEnded = true;
    if (errno !== 0) this.#fail('read', errno);
    else this.raise(Ready.READABLE | Ready.READ_CLOSED);
  }

  #sent(errno: number): void {
    this.#sendQueue().sent();
    if (errno === 0 || this.closed || this.#writeClosed || errno === ECANCELED) return;
    this.#fail('write', errno);
  }

  #ready(): void {
    const { client, slot } = this.name as SlotName;
    const bits = takeReadiness(client.words, slot);
    if ((bits & Readiness.FAILED) !== 0) {
      this.#readEnded = true;
      this.#fail('connect', readinessErrno(client.words, slot));
    } else if ((bits & Readiness.CONNECTED) !== 0) {
      this.#connected = true;
      this.raise(Ready.WRITABLE);
    }
  }

  /** The connection failed: nothing more can be written, and everybody hears of it. */
  #fail(syscall: string, errno: number): void {
    this.#writeClosed = true;
    this.#error ??= systemError(syscall, errno, syscall === 'connect' ? this.#remote : undefined);
    this.raise(Ready.READABLE | Ready.WRITABLE | Ready.ERROR | Ready.READ_CLOSED | Ready.WRITE_CLOSED);
  }

  // -- reading ---------------------------------------------------------------------------------------

  read(into: Uint8Array): number | null {
    this.checkOpen();
    checkBytes(into);
    if (into.length === 0) return 0;
    if (this.#unread.length === 0) return this.#nothingToRead();
    const { received } = this.#client();
    let count = 0;
    while (count < into.length) {
      const chunk = this.#unread[0];
      if (chunk === undefined) break;
      const length = Math.min(chunk.length, into.length - count);
      into.set(received.view(chunk, length), count);
      count += length;
      chunk.from += length;
      if (chunk.length > 0) break;
      this.#unread.shift();
      received.done(chunk);
    }
    return count;
  }

  take(): Lease | null {
    this.checkOpen();
    const chunk = this.#unread.shift();
    if (chunk === undefined) return this.#nothingToRead() === null ? null : new Lease(EMPTY);
    const { received } = this.#client();
    received.lend(chunk);
    this.#lent.add(chunk);
    return new Lease(received.view(chunk, chunk.length), chunk, this);
  }

  giveBack(chunk: Chunk): void {
    if (this.#lent.delete(chunk)) this.#client().received.done(chunk);
  }

  /** 0 at the end, null when more may come. @throws the error that ended reading, once */
  #nothingToRead(): 0 | null {
    if (this.#error) throw this.takeError();
    if (this.#readEnded) return 0;
    this.name?.client.checkAlive();
    return null;
  }

  // -- writing ---------------------------------------------------------------------------------------

  write(bytes: Uint8Array): number | null {
    this.checkOpen();
    checkBytes(bytes);
    if (this.#error) throw this.takeError();
    if (this.#writeClosed) throw systemError('write', EPIPE);
    this.name?.client.checkAlive();
    if (bytes.length === 0) return 0;
    if (!this.#connected) return null;
    const count = this.#sendQueue().write(bytes);
    // Asked also after a part was taken: then there is no more room, and somebody must hear of it when there is.
    if (count < bytes.length) this.#hasRoom();
    if (count === 0) return null;
    this.#client().flush();
    return count;
  }

  /** With no room this stream is asked again when a send completes. */
  #hasRoom(): boolean {
    if (this.#sendQueue().hasRoom) return true;
    this.#client().awaitRoom(this);
    return false;
  }

  #sendQueue(): SendQueue {
    this.#sends ??= new SendQueue(this.name as SlotName);
    return this.#sends;
  }

  shutdown(how: 'read' | 'write' | 'both'): void {
    this.checkOpen();
    if (how !== 'read' && how !== 'write' && how !== 'both') {
      throw fail('ERR_SIDEPORT_INVALID_ARG', `shutdown takes 'read', 'write' or 'both', not ${String(how)}`);
    }
    if (!this.#connected) throw systemError('shutdown', ENOTCONN);
    if (how !== 'write') this.#readEnded = true;
    if (how !== 'read') this.#writeClosed = true;
    const wire = { read: ShutdownHow.READ, write: ShutdownHow.WRITE, both: ShutdownHow.BOTH }[how];
    if (this.#client().isAlive) this.submit(Submission.SHUTDOWN, wire);
    this.raise(how === 'read' ? Ready.READABLE | Ready.READ_CLOSED : Ready.WRITE_CLOSED);
  }

  // -- the rest --------------------------------------------------------------------------------------

  takeError(): SystemError | null {
    const error = this.#error ?? null;
    this.#error = undefined;
    return error;
  }

  /** The peer's address; undefined while not connected. */
  peer(): SocketAddress | undefined {
    this.checkOpen();
    return this.#connected ? this.#remote : undefined;
  }

  descriptor(): number {
    return this.fd;
  }

  protected open(name: SlotName, interest: number): void {
    const words = new Int32Array(this.#remoteWire.buffer);
    name.client.words.set(words, slotBase(name.slot) + Slot.ADDRESS);
    name.client.submit(Submission.OPEN_STREAM, name.slot, name.generation, this.fd, interest);
  }

  protected ending(): void {
    const client = this.#client();
    client.forgetRoom(this);
    for (const chunk of this.#unread.splice(0)) client.received.done(chunk);
    for (const chunk of this.#lent) client.received.done(chunk);
    this.#lent.clear();
  }

  #client() {
    return (this.name as SlotName).client;
  }
}

function checkBytes(bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', 'Expected a Uint8Array (a Buffer is one)');
  }
}
