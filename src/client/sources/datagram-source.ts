/**
 * A datagram socket on its owner's thread, UDP or Unix-domain: datagrams received and not yet read, datagrams sent and not yet with the
 * kernel.
 *
 * ```
 *   fresh: sends at once, receives nothing ──first register──► open: sends and receives through the I/O thread ──close──► closed
 * ```
 *
 * One error slot: what the kernel reports of datagrams sent before, or of one that it refused. Whoever asks next gets it, once. It never
 * ends anything.
 */
import { readinessErrno, takeReadiness } from '../../atomics/readiness.js';
import { errnoOf, fail, systemError } from '../../errors.js';
import { type Descriptor, loadAddon } from '../../native.js';
import { Readiness } from '../../protocol/client-memory.js';
import { HEADER_BYTES, UDP_PAYLOAD_BYTES } from '../../protocol/datagram.js';
import { EventKind } from '../../protocol/events.js';
import { Submission } from '../../protocol/submissions.js';
import type { DetachedShared, SharedSource } from '../../protocol/transfer.js';
import { NO_CHUNK } from '../buffers/chunk-table.js';
import { DatagramQueue, type Destination } from '../buffers/datagram-queue.js';
import { Lease } from '../buffers/lease.js';
import type { Reader } from '../buffers/received-data.js';
import type { Client } from '../link/client.js';
import { Ready } from '../polling/events.js';
import { ShareableSource } from './shareable-source.js';
import { arrive, type Joined, join } from './sharing.js';
import { errorFrom } from './stream-transfer.js';

const EAGAIN = errnoOf('EAGAIN');
const EMSGSIZE = errnoOf('EMSGSIZE');

type DatagramKind = 'UdpSocket' | 'UnixDatagram';

/** The longest datagram that the kind of socket knows. Of a Unix socket the kernel says what is too long for its buffer; this is what a word holds. */
const MAX_PAYLOAD = { UdpSocket: UDP_PAYLOAD_BYTES, UnixDatagram: 2 ** 30 } as const;

/** Sends reach the kernel in microseconds; who waits longer for them waits for an I/O thread in trouble. */
const SETTLE_MS = 1000;

export class DatagramSource extends ShareableSource<DatagramKind> implements Reader {
  firstChunk = NO_CHUNK;
  lastChunk = NO_CHUNK;
  lentChunk = NO_CHUNK;
  /** Made by the first send after the registration. */
  #sends: DatagramQueue | undefined;
  /** Its end hands back what is unread. */
  #detaching = false;

  static bound(kind: DatagramKind, descriptor: Descriptor): DatagramSource {
    return new DatagramSource(kind, descriptor, descriptor.fd);
  }

  /** Another thread's, shared. @throws as {@link join} */
  static joined<Kind extends DatagramKind>(shared: SharedSource<Kind>, kind: Kind): DatagramSource {
    return DatagramSource.#on(join(shared, kind), shared, kind);
  }

  /** Moved here with its Poll. @throws as {@link arrive} */
  static attached<Kind extends DatagramKind>(moved: DetachedShared<Kind>, kind: Kind): DatagramSource {
    const socket = DatagramSource.#on(arrive(moved, kind), moved.shared, kind);
    socket.error = errorFrom(moved.error);
    return socket;
  }

  static #on({ client, name }: Joined, shared: SharedSource<DatagramKind>, kind: DatagramKind): DatagramSource {
    return new DatagramSource(kind, undefined, shared.fd, client, name, shared);
  }

  protected override leaving(): () => DetachedShared<DatagramKind> {
    if (this.lentChunk !== NO_CHUNK) throw fail('ERR_SIDEPORT_LEASE_HELD');
    const leave = super.leaving();
    return () => {
      this.#detaching = true;
      return leave();
    };
  }

  // -- readiness -------------------------------------------------------------------------------------

  readiness(): number {
    let ready = 0;
    if (this.firstChunk !== NO_CHUNK) ready |= Ready.READABLE;
    if (this.error) ready |= Ready.READABLE | Ready.ERROR;
    if (this.#hasRoom()) ready |= Ready.WRITABLE;
    return ready;
  }

  dispatch(kind: number, a: number, b: number): void {
    switch (kind) {
      case EventKind.DATA:
        return this.#data(a, b);
      case EventKind.SENT:
        return this.#sends?.sent(a);
      case EventKind.READY:
        return this.#ready();
    }
  }

  buffersUntilRoom(): number {
    return this.#sends?.buffersUntilRoom() ?? 1;
  }

  /** Asked again after a send completed: is there room now? */
  retry(): boolean {
    if (this.closed) return true;
    if (this.#sends && !this.#sends.drained()) return false;
    this.raise(Ready.WRITABLE);
    return true;
  }

  #data(name: number, length: number): void {
    const client = this.#client();
    // Of a shared one the I/O thread has taken it back.
    if (this.closed) return this.isShared ? undefined : client.recycle(name);
    client.datagrams.add(this, name, HEADER_BYTES + length);
    this.raise(Ready.READABLE);
  }

  #ready(): void {
    const { words } = this.#client();
    if ((takeReadiness(words, this.slot) & Readiness.FAILED) === 0) return;
    this.error = systemError('recv', readinessErrno(words, this.slot));
    this.raise(Ready.READABLE | Ready.ERROR);
  }

  // -- receiving -------------------------------------------------------------------------------------

  /** Where the first unread datagram lies, header included; undefined without one. @throws the error that the kernel reported, once */
  first(): Uint8Array<SharedArrayBuffer> | undefined {
    this.checkOpen();
    if (this.firstChunk !== NO_CHUNK) return this.#client().datagrams.bytes(this.firstChunk);
    if (this.error) throw this.takeError();
    this.client?.checkAlive();
    return undefined;
  }

  /** The first unread datagram, which there is, was read. */
  drop(): void {
    this.#client().datagrams.dropFirst(this);
  }

  /** Lends the first unread datagram, which there is. */
  lend(): Lease {
    return new Lease(this.#client().datagrams, this);
  }

  // -- sending ---------------------------------------------------------------------------------------

  /** Bytes taken: all of them; null when there is no room. @throws EMSGSIZE, and the error that the kernel reported, once */
  send(bytes: Uint8Array, destination: Destination): number | null {
    this.checkOpen();
    if (!(bytes instanceof Uint8Array)) {
      throw fail('ERR_SIDEPORT_INVALID_ARG', 'Expected a Uint8Array (a Buffer is one)');
    }
    if (this.error) throw this.takeError();
    if (bytes.length > MAX_PAYLOAD[this.kind]) throw systemError('send', EMSGSIZE);
    const { client } = this;
    if (!client) return this.#sendNow(bytes, destination);
    client.checkAlive();
    this.#sends ??= new DatagramQueue(client, this);
    if (bytes.length > this.#sends.maxLength(destination)) throw systemError('send', EMSGSIZE);
    if (!this.#sends.write(bytes, destination)) {
      this.#hasRoom();
      return null;
    }
    client.flush();
    return bytes.length;
  }

  /** Blocks until what was sent is with the kernel. */
  settleSends(): void {
    const { client } = this;
    const untilMs = performance.now() + SETTLE_MS;
    while (client?.isAlive && this.#sends && !this.#sends.isEmpty && performance.now() < untilMs) {
      client.roomless.add(this);
      client.block(10);
      client.drainForPoll();
    }
  }

  #sendNow(bytes: Uint8Array, { address, name }: Destination): number | null {
    // A Unix socket that is not registered sends to its peer only: its handle sees to that.
    if (name.length > 0) throw fail('ERR_SIDEPORT_NOT_REGISTERED');
    const to = address[0] === 0 ? undefined : address;
    const result = loadAddon().socket.sendDatagram(this.fd, bytes, to);
    if (result === EAGAIN) return null;
    if (result < 0) throw systemError('send', result);
    return result;
  }

  /** With no room this socket is asked again when a send completes. */
  #hasRoom(): boolean {
    const { client } = this;
    if (!client) return false;
    if (this.#sends ? this.#sends.hasRoom : client.sendPool.available(false)) return true;
    client.roomless.add(this);
    return false;
  }

  // -- the rest --------------------------------------------------------------------------------------

  protected open(client: Client, interest: number): void {
    client.submit(Submission.OPEN_DATAGRAM, this.slot, this.generation, this.fd, interest);
  }

  protected ending(): void {
    const client = this.#client();
    client.roomless.forget(this);
    if (!this.isShared) return client.datagrams.discard(this);
    client.datagrams.handBack(this);
    if (client.isAlive && !this.#detaching) client.submit(Submission.HAND_BACK, this.slot, this.generation);
  }

  #client(): Client {
    return this.client as Client;
  }
}
