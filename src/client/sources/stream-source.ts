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
import { errnoOf, fail, type SystemError, systemError } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import { decodeAddress, type SocketAddress } from '../../protocol/address.js';
import { Slot, slotBase } from '../../protocol/client-memory.js';
import { Submission } from '../../protocol/submissions.js';
import type {
  DetachedStream,
  HalfKind,
  SplitStream,
  StreamEnds,
  StreamKind,
  UnreadData,
} from '../../protocol/transfer.js';
import { NO_CHUNK } from '../buffers/chunk-table.js';
import type { Lease } from '../buffers/lease.js';
import type { Reader } from '../buffers/received-data.js';
import type { SendQueue } from '../buffers/send-queue.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { Ready } from '../polling/events.js';
import { Source } from './source.js';
import { SourceState } from './source-state.js';
import { dispatch, readiness } from './stream-events.js';
import { arrive, describe, seenOf, splitStream } from './stream-move.js';
import { peek, read, readv, take } from './stream-reading.js';
import { DEPARTED, nameFor, settleDescriptor } from './stream-transfer.js';
import { sendQueue, shutdown, write, writev } from './stream-writing.js';

const KIND = 'TcpStream';
const ENOTCONN = errnoOf('ENOTCONN');

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
  sends: SendQueue | undefined;
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
    return arrive(name, kind, (client, at) => new StreamSource(undefined, name.fd, client, at));
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

  /** What the connection met, and nobody was given yet. */
  get error(): SystemError | undefined {
    return this.#extras?.error;
  }

  set error(error: SystemError | undefined) {
    if (error || this.#extras) this.#extra().error = error;
  }

  /** Not registered yet; see {@link connecting} and {@link connected}. */
  protected prepare(kind: string, remote: Uint8Array, adopted: boolean): void {
    this.#extras = { kind, remote, error: undefined };
    if (adopted) this.state |= SourceState.ADOPTED;
  }

  /** Nothing of what it was until now remains but its slot and its registrations: it is not connected yet. */
  protected startOver(): void {
    if (this.client) this.ending();
    const { CONNECTED, READ_ENDED, WRITE_CLOSED, FAILED } = SourceState;
    this.state &= ~(CONNECTED | READ_ENDED | WRITE_CLOSED | FAILED);
    this.error = undefined;
    this.sends = undefined;
  }

  /** Whether it is told of an error that sending meets. */
  get hearsOfFailure(): boolean {
    return !this.is(SourceState.WRITE_CLOSED);
  }

  /** Whether what is read and written are messages, apart from each other. */
  get messages(): boolean {
    return false;
  }

  // -- readiness -------------------------------------------------------------------------------------

  readiness(): number {
    return readiness(this);
  }

  dispatch(kind: number, a: number, b: number): void {
    dispatch(this, kind, a, b);
  }

  buffersUntilRoom(): number {
    return this.sends?.buffersUntilRoom() ?? 1;
  }

  /** Asked again after a send completed: is there room now? */
  retry(): boolean {
    if (this.closed) return true;
    if (!sendQueue(this).drained()) return false;
    this.raise(Ready.WRITABLE);
    return true;
  }

  late(data: UnreadData): void {
    if (this.closed) return;
    this.submit(Submission.LATE_TAKEN);
    this.#client().received.adopt(this, data);
    this.raise(Ready.READABLE);
  }

  // -- reading ---------------------------------------------------------------------------------------

  read(into: Uint8Array): number | null {
    return read(this, into);
  }

  peek(into: Uint8Array): number | null {
    return peek(this, into);
  }

  readv(into: readonly Uint8Array[]): number | null {
    return readv(this, into);
  }

  take(): Lease | null {
    return take(this);
  }

  /** 0 at the end, null when more may come. @throws the error that ended reading, once */
  nothingToRead(): 0 | null {
    if (this.error) throw this.takeError();
    if (this.is(SourceState.READ_ENDED)) return 0;
    this.client?.checkAlive();
    return null;
  }

  // -- writing ---------------------------------------------------------------------------------------

  write(bytes: Uint8Array): number | null {
    return write(this, bytes);
  }

  writev(from: readonly Uint8Array[]): number | null {
    return writev(this, from);
  }

  shutdown(how: 'read' | 'write' | 'both'): void {
    shutdown(this, how);
  }

  // -- moving ----------------------------------------------------------------------------------------

  detach(client: Client): DetachedStream<StreamKind> {
    return this.#lettingGo(client)();
  }

  /** @throws ENOTCONN */
  split(client: Client, reader: HalfKind, writer: HalfKind, ends: () => StreamEnds): SplitStream<HalfKind, HalfKind> {
    this.checkOpen();
    if (!this.is(SourceState.CONNECTED | SourceState.ADOPTED)) throw systemError('split', ENOTCONN);
    this.#lettingGo(client);
    return splitStream(this, client, reader, writer, ends());
  }

  /** All that may fail is done; what has arrived is taken along in the name, so an unread ring never holds more than one detached stream's data. */
  #lettingGo(client: Client): () => DetachedStream<StreamKind> {
    this.checkOpen();
    this.openOn(client);
    const leave = this.leaving();
    client.drainForPoll();
    return leave;
  }

  protected override leaving(): () => DetachedStream<StreamKind> {
    const client = this.#client();
    client.checkAlive();
    if (this.lentChunk !== NO_CHUNK) throw fail('ERR_SIDEPORT_LEASE_HELD');
    settleDescriptor(client, this);
    return () => this.#leave();
  }

  /** What only its class knows of it, to go along. */
  protected describeMore(): Partial<DetachedStream<StreamKind>> {
    return {};
  }

  #leave(): DetachedStream<StreamKind> {
    const mine = this.#client();
    const state = describe(this, mine);
    const unread = mine.received.takeOut(this);
    const name = { ...nameFor(mine, this, this.kind as StreamKind, this.fd, state, unread), ...this.describeMore() };
    mine.roomless.forget(this);
    this.submit(Submission.DETACH_STREAM, seenOf(state, !this.hearsOfFailure));
    this.leave(DEPARTED);
    return name;
  }

  // -- the rest --------------------------------------------------------------------------------------

  takeError(): SystemError | null {
    const { error } = this;
    if (error) this.error = undefined;
    return error ?? null;
  }

  /** The peer's address; undefined while not connected. */
  peer(): SocketAddress | undefined {
    this.checkOpen();
    return this.is(SourceState.CONNECTED) ? this.remoteAddress() : undefined;
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
  remoteAddress(): SocketAddress {
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
