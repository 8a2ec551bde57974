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
 *
 * A program may have ten thousand of these, most of them idle: so each has few words, and what only traffic needs is made by it.
 */
import { readinessErrno, takeReadiness } from '../../atomics/readiness.js';
import { errnoOf, fail, type SystemError, systemError } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import { decodeAddress, type SocketAddress } from '../../protocol/address.js';
import { Readiness, Slot, slotBase } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { ShutdownHow } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import { NO_CHUNK } from '../buffers/chunk-table.js';
import { Lease } from '../buffers/lease.js';
import type { Reader } from '../buffers/received-data.js';
import { SendQueue } from '../buffers/send-queue.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { Ready } from '../polling/events.js';
import { Source } from './source.js';

const EPIPE = errnoOf('EPIPE');
const ENOTCONN = errnoOf('ENOTCONN');
const ECANCELED = errnoOf('ECANCELED');

export class StreamSource extends Source implements Reader {
  firstChunk = NO_CHUNK;
  lastChunk = NO_CHUNK;
  lentChunk = NO_CHUNK;
  /** Where to connect to, until that is in the slot's record. */
  #remote: Uint8Array | undefined;
  /** Made by the first write. */
  #sends: SendQueue | undefined;
  #connected: boolean;
  #readEnded = false;
  #writeClosed = false;
  #error: SystemError | undefined;

  /** Connecting: a descriptor of our own, and the remote address (a wire address) for the I/O thread. */
  static connecting(descriptor: Descriptor, remote: Uint8Array): StreamSource {
    const stream = new StreamSource(descriptor, descriptor.fd);
    stream.#remote = remote;
    return stream;
  }

  /** Accepted: the descriptor is the port's, ours to use until we close. */
  static accepted(client: Client, name: SlotName, fd: number): StreamSource {
    return new StreamSource(undefined, fd, client, name);
  }

  private constructor(descriptor: Descriptor | undefined, fd: number, client?: Client, name?: SlotName) {
    super(descriptor, fd, client, name);
    this.#connected = client !== undefined;
  }

  get kind(): string {
    return 'TcpStream';
  }

  // -- readiness -------------------------------------------------------------------------------------

  readiness(): number {
    let ready = 0;
    if (this.firstChunk !== NO_CHUNK || this.#readEnded) ready |= Ready.READABLE;
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
        return this.#sent(a, b);
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
    const client = this.#client();
    if (this.closed) return client.recycle(name);
    client.received.add(this, name, length);
    this.raise(Ready.READABLE);
  }

  #end(errno: number): void {
    this.#readEnded = true;
    if (errno !== 0) this.#fail('read', errno);
    else this.raise(Ready.READABLE | Ready.READ_CLOSED);
  }

  #sent(name: number, errno: number): void {
    this.#sends?.sent(name);
    if (errno === 0 || this.closed || this.#writeClosed || errno === ECANCELED) return;
    this.#fail('write', errno);
  }

  #ready(): void {
    const { words } = this.#client();
    const bits = takeReadiness(words, this.slot);
    if ((bits & Readiness.FAILED) !== 0) {
      this.#readEnded = true;
      this.#fail('connect', readinessErrno(words, this.slot));
    } else if ((bits & Readiness.CONNECTED) !== 0) {
      this.#connected = true;
      this.raise(Ready.WRITABLE);
    }
  }

  /** The connection failed: nothing more can be written, and everybody hears of it. */
  #fail(syscall: string, errno: number): void {
    this.#writeClosed = true;
    this.#error ??= systemError(syscall, errno, syscall === 'connect' ? this.#remoteAddress() : undefined);
    this.raise(Ready.READABLE | Ready.WRITABLE | Ready.ERROR | Ready.READ_CLOSED | Ready.WRITE_CLOSED);
  }

  // -- reading ---------------------------------------------------------------------------------------

  read(into: Uint8Array): number | null {
    this.checkOpen();
    checkBytes(into);
    if (into.length === 0) return 0;
    if (this.firstChunk === NO_CHUNK) return this.#nothingToRead();
    return this.#client().received.read(this, into);
  }

  take(): Lease | null {
    this.checkOpen();
    if (this.firstChunk !== NO_CHUNK) return new Lease(this.#client().received, this);
    return this.#nothingToRead() === null ? null : new Lease();
  }

  /** 0 at the end, null when more may come. @throws the error that ended reading, once */
  #nothingToRead(): 0 | null {
    if (this.#error) throw this.takeError();
    if (this.#readEnded) return 0;
    this.client?.checkAlive();
    return null;
  }

  // -- writing ---------------------------------------------------------------------------------------

  write(bytes: Uint8Array): number | null {
    this.checkOpen();
    checkBytes(bytes);
    if (this.#error) throw this.takeError();
    if (this.#writeClosed) throw systemError('write', EPIPE);
    this.client?.checkAlive();
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
    const client = this.#client();
    if (this.#sends ? this.#sends.hasRoom : client.sendPool.available(false)) return true;
    client.awaitRoom(this);
    return false;
  }

  #sendQueue(): SendQueue {
    this.#sends ??= new SendQueue(this.#client(), this);
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
    return this.#connected ? this.#remoteAddress() : undefined;
  }

  descriptor(): number {
    return this.fd;
  }

  protected open(client: Client, interest: number): void {
    const remote = this.#remote as Uint8Array;
    client.words.set(new Int32Array(remote.buffer), slotBase(this.slot) + Slot.ADDRESS);
    client.submit(Submission.OPEN_STREAM, this.slot, this.generation, this.fd, interest);
    this.#remote = undefined;
  }

  protected ending(): void {
    const client = this.#client();
    client.forgetRoom(this);
    client.received.discard(this);
  }

  /** In the slot's record: put there to connect to it, or by the I/O thread before it told of the connection. */
  #remoteAddress(): SocketAddress {
    const at = 4 * (slotBase(this.slot) + Slot.ADDRESS);
    return decodeAddress(this.#client().bytes, at) ?? { address: '', family: 'IPv4', port: 0 };
  }

  #client(): Client {
    return this.client as Client;
  }
}

function checkBytes(bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', 'Expected a Uint8Array (a Buffer is one)');
  }
}
