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
import { carried, presumeCarried, readinessErrno, takeReadiness } from '../../atomics/readiness.js';
import { errnoOf, fail, type SystemError, systemError } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import { ADDRESS_WORDS, decodeAddress, type SocketAddress } from '../../protocol/address.js';
import { Readiness, Slot, slotBase } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { ShutdownHow } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import { type DetachedStream, Seen, type StreamKind, type UnreadData } from '../../protocol/transfer.js';
import { NO_CHUNK } from '../buffers/chunk-table.js';
import { Lease } from '../buffers/lease.js';
import type { Reader } from '../buffers/received-data.js';
import { SendQueue } from '../buffers/send-queue.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { Ready } from '../polling/events.js';
import { Source } from './source.js';
import { SourceState } from './source-state.js';
import {
  claimStream,
  clientFor,
  DEPARTED,
  describeError,
  errorFrom,
  nameFor,
  settleDescriptor,
} from './stream-transfer.js';

const EPIPE = errnoOf('EPIPE');
const ENOTCONN = errnoOf('ENOTCONN');
const ECANCELED = errnoOf('ECANCELED');

const KIND = 'TcpStream';

/** What only some streams have. */
interface Extras {
  kind: string;
  /** Of a fresh one, until that is in the slot's record: where to connect to, or the peer of a connected one. */
  remote: Uint8Array | undefined;
  error: SystemError | undefined;
}

export class StreamSource extends Source implements Reader {
  firstChunk = NO_CHUNK;
  lastChunk = NO_CHUNK;
  lentChunk = NO_CHUNK;
  /** Made by the first write. */
  #sends: SendQueue | undefined;
  #extras: Extras | undefined;

  /** Connecting: a descriptor of our own, and the remote address (a wire address) for the I/O thread. */
  static connecting(descriptor: Descriptor, remote: Uint8Array): StreamSource {
    const stream = new StreamSource(descriptor, descriptor.fd);
    stream.#extra().remote = remote;
    return stream;
  }

  /** Connected already, with a descriptor of our own; `peer` is a wire address, of family 0 when it has none. */
  static connected(kind: StreamKind, descriptor: Descriptor, peer: Uint8Array): StreamSource {
    const stream = new StreamSource(descriptor, descriptor.fd);
    stream.prepare(kind, peer, true);
    return stream;
  }

  /** Accepted: the descriptor is the port's, ours to use until we close. */
  static accepted(client: Client, name: SlotName, fd: number): StreamSource {
    return new StreamSource(undefined, fd, client, name);
  }

  /** Detached elsewhere, and ours if this does not throw. */
  static attached<Kind extends StreamKind>(name: DetachedStream<Kind>, kind: Kind): StreamSource {
    const client = clientFor(name, kind);
    const slot = client.allocate(DEPARTED);
    try {
      claimStream(client, name);
    } catch (error) {
      client.forsake(slot);
      throw error;
    }
    const stream = new StreamSource(undefined, name.fd, client, { slot, generation: client.generation(slot) });
    client.transfer(stream, stream);
    if (kind !== KIND) stream.kind = kind;
    stream.#arrive(name);
    return stream;
  }

  protected constructor(descriptor: Descriptor | undefined, fd: number, client?: Client, name?: SlotName) {
    super(descriptor, fd, client, name);
    if (client) this.state |= SourceState.CONNECTED;
  }

  get kind(): string {
    return this.#extras?.kind ?? KIND;
  }

  /** Set before anybody can see it; a Unix listener's connections are accepted as any others. */
  set kind(kind: string) {
    this.#extra().kind = kind;
  }

  /** Not registered yet; see {@link connecting} and {@link connected}. */
  protected prepare(kind: string, remote: Uint8Array, adopted: boolean): void {
    this.#extras = { kind, remote, error: undefined };
    if (adopted) this.state |= SourceState.ADOPTED;
  }

  /** Nothing of what it was until now remains but its slot and its registrations: it is not connected yet. */
  protected startOver(): void {
    if (this.client) this.ending();
    this.state &= ~(SourceState.CONNECTED | SourceState.READ_ENDED | SourceState.WRITE_CLOSED);
    this.#extra().error = undefined;
    this.#sends = undefined;
  }

  /** Whether what is read and written are messages, apart from each other. */
  protected get messages(): boolean {
    return false;
  }

  // -- readiness -------------------------------------------------------------------------------------

  readiness(): number {
    let ready = 0;
    if (this.firstChunk !== NO_CHUNK || this.is(SourceState.READ_ENDED)) ready |= Ready.READABLE;
    if (this.is(SourceState.READ_ENDED)) ready |= Ready.READ_CLOSED;
    if (this.is(SourceState.WRITE_CLOSED)) ready |= Ready.WRITABLE | Ready.WRITE_CLOSED;
    else if (this.is(SourceState.CONNECTED) && this.#hasRoom()) ready |= Ready.WRITABLE;
    // Whoever asks next meets it, whichever way: so the stream is ready both ways.
    if (this.#extras?.error) ready |= Ready.READABLE | Ready.WRITABLE | Ready.ERROR;
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

  late(data: UnreadData): void {
    if (this.closed) return;
    this.submit(Submission.LATE_TAKEN);
    this.#client().received.adopt(this, data);
    this.raise(Ready.READABLE);
  }

  #end(errno: number): void {
    this.state |= SourceState.READ_ENDED;
    if (errno !== 0) this.#fail('read', errno);
    else this.raise(Ready.READABLE | Ready.READ_CLOSED);
  }

  #sent(name: number, errno: number): void {
    this.#sends?.sent(name);
    if (errno === 0 || this.closed || this.is(SourceState.WRITE_CLOSED) || errno === ECANCELED) return;
    this.#fail('write', errno);
  }

  #ready(): void {
    const { words } = this.#client();
    const bits = takeReadiness(words, this.slot);
    if ((bits & Readiness.FAILED) !== 0) {
      this.state |= SourceState.READ_ENDED;
      this.#fail('connect', readinessErrno(words, this.slot));
      return;
    }
    if ((bits & Readiness.CONNECTED) !== 0) {
      this.state |= SourceState.CONNECTED;
      this.raise(Ready.WRITABLE);
    }
    if ((bits & Readiness.CARRIED) !== 0 && this.#sends) {
      this.#sends.carried = carried(words, this.slot);
      this.#client().roomless.ask(this);
    }
    if ((bits & Readiness.SEND_FAILED) !== 0 && !this.is(SourceState.WRITE_CLOSED))
      this.#fail('write', readinessErrno(words, this.slot));
  }

  /** The connection failed: nothing more can be written, and everybody hears of it. */
  #fail(syscall: string, errno: number): void {
    this.state |= SourceState.WRITE_CLOSED;
    this.#extra().error ??= systemError(syscall, errno, syscall === 'connect' ? this.#remoteAddress() : undefined);
    this.raise(Ready.READABLE | Ready.WRITABLE | Ready.ERROR | Ready.READ_CLOSED | Ready.WRITE_CLOSED);
  }

  // -- reading ---------------------------------------------------------------------------------------

  read(into: Uint8Array): number | null {
    this.checkOpen();
    checkBytes(into);
    if (into.length === 0) return 0;
    if (this.firstChunk === NO_CHUNK) return this.#nothingToRead();
    return this.#client().received.read(this, into, this.messages);
  }

  /** As {@link read}, and what was read stays. */
  peek(into: Uint8Array): number | null {
    this.checkOpen();
    checkBytes(into);
    if (into.length === 0) return 0;
    if (this.firstChunk === NO_CHUNK) return this.#nothingToRead();
    return this.#client().received.peek(this, into, this.messages);
  }

  /** Into one after another; an error that comes after some bytes is the next call's. */
  readv(into: readonly Uint8Array[]): number | null {
    let count = 0;
    for (const part of into) {
      if (count > 0 && this.firstChunk === NO_CHUNK) break;
      const read = this.read(part);
      if (read === null) return null;
      count += read;
      if (read < part.length) break;
    }
    this.checkOpen();
    return count;
  }

  take(): Lease | null {
    this.checkOpen();
    if (this.firstChunk !== NO_CHUNK) return new Lease(this.#client().received, this);
    return this.#nothingToRead() === null ? null : new Lease();
  }

  /** 0 at the end, null when more may come. @throws the error that ended reading, once */
  #nothingToRead(): 0 | null {
    if (this.#extras?.error) throw this.takeError();
    if (this.is(SourceState.READ_ENDED)) return 0;
    this.client?.checkAlive();
    return null;
  }

  // -- writing ---------------------------------------------------------------------------------------

  write(bytes: Uint8Array): number | null {
    this.checkOpen();
    checkBytes(bytes);
    if (this.#extras?.error) throw this.takeError();
    if (this.is(SourceState.WRITE_CLOSED)) throw systemError('write', EPIPE);
    this.client?.checkAlive();
    if (bytes.length === 0) return 0;
    if (!this.is(SourceState.CONNECTED)) return null;
    const queue = this.#sendQueue();
    const count = this.messages ? queue.writeMessage(bytes) : queue.write(bytes);
    // Asked also after a part was taken: then there is no more room, and somebody must hear of it when there is.
    if (count < bytes.length) this.#hasRoom();
    if (count === 0) return null;
    this.#client().flush();
    return count;
  }

  /** One after another; an error that comes after some bytes is the next call's. */
  writev(from: readonly Uint8Array[]): number | null {
    this.checkOpen();
    let count = 0;
    for (const part of from) {
      if (count > 0 && this.#extras?.error) break;
      const written = this.write(part);
      if (written === null) return count > 0 ? count : null;
      count += written;
      if (written < part.length) break;
    }
    return count;
  }

  /** With no room this stream is asked again when a send completes. */
  #hasRoom(): boolean {
    const client = this.#client();
    if (this.#sends ? this.#sends.hasRoom : client.sendPool.available(false)) return true;
    client.roomless.add(this);
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
    if (!this.is(SourceState.CONNECTED)) throw systemError('shutdown', ENOTCONN);
    if (how !== 'write') this.state |= SourceState.READ_ENDED;
    if (how !== 'read') this.state |= SourceState.WRITE_CLOSED;
    const wire = { read: ShutdownHow.READ, write: ShutdownHow.WRITE, both: ShutdownHow.BOTH }[how];
    if (this.#client().isAlive) this.submit(Submission.SHUTDOWN, wire);
    this.raise(how === 'read' ? Ready.READABLE | Ready.READ_CLOSED : Ready.WRITE_CLOSED);
  }

  // -- moving ----------------------------------------------------------------------------------------

  detach(client: Client): DetachedStream<StreamKind> {
    this.checkOpen();
    this.openOn(client);
    const leave = this.leaving();
    // What has arrived is taken along in the name; so an unread ring never holds more than one detached stream's data.
    client.drainForPoll();
    return leave();
  }

  /** Whether its class has a way to attach it. */
  protected get movable(): boolean {
    return true;
  }

  protected override leaving(): () => DetachedStream<StreamKind> {
    if (!this.movable) return super.leaving() as never;
    const client = this.#client();
    client.checkAlive();
    if (this.lentChunk !== NO_CHUNK) throw fail('ERR_SIDEPORT_LEASE_HELD');
    settleDescriptor(client, this);
    return () => this.#leave();
  }

  #leave(): DetachedStream<StreamKind> {
    const mine = this.#client();
    const at = slotBase(this.slot) + Slot.ADDRESS;
    const state = {
      connected: this.is(SourceState.CONNECTED),
      readEnded: this.is(SourceState.READ_ENDED),
      writeClosed: this.is(SourceState.WRITE_CLOSED),
      error: describeError(this.#extras?.error),
      remote: mine.words.slice(at, at + ADDRESS_WORDS),
      unsentBytes: this.#sends?.unsentBytes ?? 0,
      full: this.#sends?.isFull ?? false,
    };
    // Streams of other kinds have no way to get here.
    const kind = this.kind as StreamKind;
    const name = nameFor(mine, this, kind, this.fd, state, mine.received.takeOut(this));
    let seen = this.is(SourceState.READ_ENDED) ? Seen.END : 0;
    if (this.is(SourceState.CONNECTED) || this.is(SourceState.READ_ENDED)) seen |= Seen.CONNECT;
    if (this.is(SourceState.WRITE_CLOSED)) seen |= Seen.FAILURE;
    mine.roomless.forget(this);
    this.submit(Submission.DETACH_STREAM, seen);
    this.leave(DEPARTED);
    return name;
  }

  /** Goes on where the last owner left off. */
  #arrive({ clientId, slot, generation, state, unread }: DetachedStream<StreamKind>): void {
    const client = this.#client();
    client.words.set(state.remote, slotBase(this.slot) + Slot.ADDRESS);
    presumeCarried(client.words, this.slot, state.unsentBytes);
    if (!state.connected) this.state &= ~SourceState.CONNECTED;
    if (state.readEnded) this.state |= SourceState.READ_ENDED;
    if (state.writeClosed) this.state |= SourceState.WRITE_CLOSED;
    if (state.error) this.#extra().error = errorFrom(state.error);
    if (state.unsentBytes > 0 || state.full) this.#sends = new SendQueue(client, this, state.unsentBytes, state.full);
    client.submit(Submission.ATTACH_STREAM, this.slot, this.generation, clientId, slot, generation);
    client.flush();
    if (unread) client.received.adopt(this, unread);
  }

  // -- the rest --------------------------------------------------------------------------------------

  takeError(): SystemError | null {
    const error = this.#extras?.error;
    if (error && this.#extras) this.#extras.error = undefined;
    return error ?? null;
  }

  /** The peer's address; undefined while not connected. */
  peer(): SocketAddress | undefined {
    this.checkOpen();
    return this.is(SourceState.CONNECTED) ? this.#remoteAddress() : undefined;
  }

  descriptor(): number {
    return this.fd;
  }

  protected open(client: Client, interest: number): void {
    const remote = this.#extra().remote as Uint8Array;
    client.words.set(new Int32Array(remote.buffer), slotBase(this.slot) + Slot.ADDRESS);
    const adopted = this.is(SourceState.ADOPTED);
    const opcode = adopted ? Submission.OPEN_CONNECTED_STREAM : Submission.OPEN_STREAM;
    client.submit(opcode, this.slot, this.generation, this.fd, interest);
    if (adopted) this.state |= SourceState.CONNECTED;
    this.#extra().remote = undefined;
  }

  protected ending(): void {
    const client = this.#client();
    client.roomless.forget(this);
    client.received.discard(this);
  }

  /** In the slot's record: put there to connect to it, or by the I/O thread before it told of the connection. */
  #remoteAddress(): SocketAddress {
    const at = 4 * (slotBase(this.slot) + Slot.ADDRESS);
    return decodeAddress(this.#client().bytes, at) ?? { address: '', family: 'IPv4', port: 0 };
  }

  #extra(): Extras {
    this.#extras ??= { kind: KIND, remote: undefined, error: undefined };
    return this.#extras;
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
