/** `TcpStream`: a TCP connection served by the I/O thread. */
import { type SystemError, systemError } from '../../errors.js';
import { type Addon, type Descriptor, loadAddon } from '../../native.js';
import type { SocketAddress } from '../../protocol/address.js';
import type { DetachedStream } from '../../protocol/transfer.js';
import type { Lease } from '../buffers/lease.js';
import type { IoThread } from '../io-thread/io-thread.js';
import { kSource, reclaim, type SourceHandle } from '../link/handle.js';
import { askAddress, checkEndpoint, type Endpoint, familyOf, wireAddress } from './address.js';
import { setOption } from './socket-options.js';
import { StreamSource } from './stream-source.js';
import { clientToServe } from './stream-transfer.js';

/**
 * A TCP connection. Belongs to the thread that made it. Every method may throw ERR_SIDEPORT_CLOSED after `close`;
 * those that need the I/O thread throw ERR_SIDEPORT_IO_THREAD_GONE once it has ended.
 */
export class TcpStream implements SourceHandle {
  /** @internal */
  readonly [kSource]: StreamSource;

  /** @internal */
  constructor(source: StreamSource) {
    this[kSource] = source;
    reclaim(this, source);
  }

  /**
   * A stream that connects when it is first registered. Wait for *writable*, then ask {@link takeError}: null means
   * connected. A refused connection arrives there and never throws here.
   *
   * @throws ERR_SIDEPORT_INVALID_ADDRESS unless `host` is an IP address, ERR_SIDEPORT_INVALID_ARG for a bad port, and the
   * system's error when no socket can be made (EMFILE)
   */
  static connect(endpoint: Endpoint): TcpStream {
    checkEndpoint(endpoint);
    const addon = loadAddon();
    const wire = wireAddress(endpoint);
    const descriptor = openSocket(addon, wire);
    return new TcpStream(StreamSource.connecting(descriptor, wire));
  }

  /**
   * Takes over a stream that another thread, or this one, has detached, exactly where it stood. It is registered nowhere;
   * whatever is unread is readable at once.
   *
   * @param name  what `detach` gave; good for one attach
   * @throws ERR_SIDEPORT_TRANSFER_USED the second time, ERR_SIDEPORT_TRANSFER_EXPIRED after `transferTimeoutMs`,
   * ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT (the name stays good then), ERR_SIDEPORT_INVALID_ARG
   */
  static attach(name: DetachedStream): TcpStream {
    return new TcpStream(StreamSource.attached(name));
  }

  /**
   * Lets go of this stream, in whatever state it is, for another thread to {@link attach}: unread data, accepted writes, options,
   * addresses, water marks, the ends of either direction and errors go along; nothing is lost, doubled or reordered. Its
   * registrations end, this object is closed. What nobody attaches within `transferTimeoutMs` is closed as by `close`.
   *
   * @param ioThread  which is to serve a stream that was never registered, and begins to connect by this. Default: this process's
   * @returns a name that passes through `postMessage` and `workerData` to threads of this process
   * @throws ERR_SIDEPORT_OTHER_IO_THREAD when another serves it, ERR_SIDEPORT_LEASE_HELD while a lease of it is not released, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE
   */
  detach(ioThread?: IoThread): DetachedStream {
    const source = this[kSource];
    return source.detach(clientToServe(source, ioThread));
  }

  /**
   * Copies received bytes into `into`.
   *
   * @returns how many; 0 at the end of the stream (or for an empty `into`); null when there is nothing yet
   * @throws the error that ended the connection, once, after all data that came before it
   */
  read(into: Uint8Array): number | null {
    return this[kSource].read(into);
  }

  /**
   * Received bytes where they lie, without a copy: one buffer's worth. The reader owns them until `release`.
   *
   * @returns a lease; an empty one at the end of the stream; null when there is nothing yet
   * @throws as {@link read}
   */
  take(): Lease | null {
    return this[kSource].take();
  }

  /**
   * Accepts bytes for sending; they are copied and sent in order, also when the stream is closed right after.
   *
   * @returns how many were accepted, perhaps fewer than given; null when there is no room (wait for *writable*) or
   * the stream is not yet connected
   * @throws the error of an earlier accepted write, once; EPIPE after `shutdown('write')`
   */
  write(bytes: Uint8Array): number | null {
    return this[kSource].write(bytes);
  }

  /**
   * Ends one direction or both. `'write'` sends the end of the stream behind the accepted writes.
   *
   * @throws ENOTCONN while not connected
   */
  shutdown(how: 'read' | 'write' | 'both'): void {
    this[kSource].shutdown(how);
  }

  /** The error that the connection met, and forgets it; null without one. */
  takeError(): SystemError | null {
    return this[kSource].takeError();
  }

  /** @throws the system's error */
  localAddress(): SocketAddress {
    return askAddress(loadAddon().socket, 'localAddress', this[kSource].descriptor());
  }

  /** The peer's address; undefined while not connected. */
  peerAddress(): SocketAddress | undefined {
    return this[kSource].peer();
  }

  /** TCP_NODELAY: send small writes at once instead of collecting them. @throws the system's error */
  setNoDelay(on = true): void {
    setOption('setsockopt', loadAddon().socket.setNoDelay(this[kSource].descriptor(), Boolean(on)));
  }

  getNoDelay(): boolean {
    return setOption('getsockopt', loadAddon().socket.getNoDelay(this[kSource].descriptor())) === 1;
  }

  /** IP_TTL, or the IPv6 hop limit: 1 to 255. @throws the system's error */
  setTtl(ttl: number): void {
    setOption('setsockopt', loadAddon().socket.setTtl(this[kSource].descriptor(), ttl));
  }

  getTtl(): number {
    return setOption('getsockopt', loadAddon().socket.getTtl(this[kSource].descriptor()));
  }

  /**
   * Closes. Returns at once: accepted writes are still sent, for `lingerMs` at most, and keep the process alive until
   * then. Leases end. Idempotent.
   */
  close(): void {
    this[kSource].close();
  }

  /** Closes with a reset: accepted writes not yet sent are dropped. Idempotent. */
  abort(): void {
    this[kSource].abort();
  }

  /** Whether `close` or `abort` was called, or the stream was detached. */
  get closed(): boolean {
    return this[kSource].closed;
  }

  /** A flushing close keeps this thread alive again. Undoes {@link unref}. */
  ref(): this {
    this[kSource].referenced = true;
    return this;
  }

  /** A close, one that is flushing included, no longer keeps this thread alive; accepted writes may be lost with the process. */
  unref(): this {
    this[kSource].referenced = false;
    return this;
  }

  /** Whether a flushing close keeps, or would keep, this thread alive. Nothing else of a stream does. */
  hasRef(): boolean {
    return this[kSource].referenced;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function openSocket(addon: Addon, wire: Uint8Array): Descriptor {
  const descriptor = addon.socket.open(familyOf(wire));
  if (typeof descriptor === 'number') throw systemError('socket', descriptor);
  return descriptor;
}
