/** `TcpStream`: a TCP connection served by the I/O thread. */
import { systemError } from '../../errors.js';
import { type Addon, type Descriptor, loadAddon } from '../../native.js';
import { ADDRESS_BYTES, type SocketAddress } from '../../protocol/address.js';
import { SocketOption } from '../../protocol/socket-options.js';
import type { DetachedStream, SplitStream } from '../../protocol/transfer.js';
import { checkInteger } from '../check-integer.js';
import type { IoThread } from '../io-thread/io-thread.js';
import { kSource } from '../link/handle.js';
import { askAddress, checkEndpoint, type Endpoint, familyOf, wireAddress } from './address.js';
import { adoptSocket } from './adopt.js';
import { MovableStream } from './movable-stream.js';
import { readOption, setOption, writeBufferSize, writeOption } from './socket-options.js';
import { StreamSource } from './stream-source.js';
import { clientToServe } from './stream-transfer.js';

const LINGER_MAX_SECONDS = 65_535;
const KEEP_ALIVE_MAX_SECONDS = 32_767;

/** A TCP connection. See {@link StreamObject} for reading and writing, {@link MovableStream} for changing threads. Options may throw the system's error. */
export class TcpStream extends MovableStream<'TcpStream'> {
  /** @internal */

  constructor(source: StreamSource) {
    super(source);
  }

  /**
   * A stream that connects when it is first registered. Wait for *writable*, then ask `takeError`: null means
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
  static attach(name: DetachedStream<'TcpStream'>): TcpStream {
    return new TcpStream(StreamSource.attached(name, 'TcpStream'));
  }

  /**
   * Adopts a connected TCP socket that was opened elsewhere (a parent process hands one down, say). It is this object's from now on, and
   * nobody else may read, write or close it.
   *
   * @throws ERR_SIDEPORT_INVALID_ARG unless it is a TCP connection; the system's error (EBADF, ENOTSOCK, ENOTCONN)
   */
  static fromDescriptor(fd: number): TcpStream {
    const peer = new Uint8Array(ADDRESS_BYTES);
    const descriptor = adoptSocket(fd, 'a TCP connection', { families: [4, 6], type: 1, listening: false }, () => {
      const errno = loadAddon().socket.peerAddress(fd, peer);
      if (errno < 0) throw systemError('getpeername', errno);
    });
    return new TcpStream(StreamSource.connected('TcpStream', descriptor, peer));
  }

  /**
   * Lets go of this stream as two halves, for a thread each to attach (TcpReader.attach, TcpWriter.attach), the same one perhaps: full duplex. Unread data goes to
   * the reader, accepted writes and water marks to the writer, an error that was not taken to both. Its registrations end, this object is
   * closed. A half that nobody attaches within `transferTimeoutMs` is closed as by `close`. Options are set before.
   *
   * @param ioThread  which is to serve a stream that was never registered. Default: this process's
   * @returns two names that pass through `postMessage` and `workerData` to threads of this process
   * @throws ENOTCONN while not connected; as {@link detach}; ERR_SIDEPORT_LIMIT when this thread has no slot left for the second half. Nothing has changed then
   */
  split(ioThread?: IoThread): SplitStream<'TcpReader', 'TcpWriter'> {
    const source = this[kSource];
    const client = clientToServe(source, ioThread);
    const ends = () => ({ local: this.localAddress(), peer: this.peerAddress() });
    return source.split(client, 'TcpReader', 'TcpWriter', ends) as SplitStream<'TcpReader', 'TcpWriter'>;
  }

  /** @throws the system's error */
  localAddress(): SocketAddress {
    return askAddress(loadAddon().socket, 'localAddress', this.fd);
  }

  /** The peer's address; undefined while not connected. */
  peerAddress(): SocketAddress | undefined {
    return this[kSource].peer();
  }

  /** TCP_NODELAY: send small writes at once instead of collecting them. */
  setNoDelay(on = true): void {
    setOption('setsockopt', loadAddon().socket.setNoDelay(this.fd, Boolean(on)));
  }

  getNoDelay(): boolean {
    return setOption('getsockopt', loadAddon().socket.getNoDelay(this.fd)) === 1;
  }

  /** IP_TTL, or the IPv6 hop limit: 1 to 255. */
  setTtl(ttl: number): void {
    setOption('setsockopt', loadAddon().socket.setTtl(this.fd, ttl));
  }

  getTtl(): number {
    return setOption('getsockopt', loadAddon().socket.getTtl(this.fd));
  }

  /** SO_KEEPALIVE: probes the peer when nothing was heard of it for so many seconds; null: never, which is the default. */
  setKeepAlive(idleSeconds: number | null): void {
    if (idleSeconds !== null) checkInteger('An idle time in seconds', idleSeconds, 1, KEEP_ALIVE_MAX_SECONDS);
    writeOption(this.fd, SocketOption.KEEP_ALIVE_SECONDS, idleSeconds ?? 0);
  }

  getKeepAlive(): number | null {
    return readOption(this.fd, SocketOption.KEEP_ALIVE_SECONDS) || null;
  }

  /**
   * SO_LINGER. 0: `close` resets the connection once the accepted writes are with the kernel, which may drop them. More seconds change nothing
   * here, as a close never blocks: `lingerMs` limits it. null, the default: an orderly end.
   */
  setLinger(seconds: number | null): void {
    if (seconds !== null) checkInteger('A linger time in seconds', seconds, 0, LINGER_MAX_SECONDS);
    writeOption(this.fd, SocketOption.LINGER_SECONDS, seconds ?? -1);
  }

  getLinger(): number | null {
    const seconds = readOption(this.fd, SocketOption.LINGER_SECONDS);
    return seconds < 0 ? null : seconds;
  }

  /** SO_RCVBUF in bytes; the kernel may cap it, and Linux doubles it. */
  setReceiveBufferSize(bytes: number): void {
    writeBufferSize(this.fd, 'RECEIVE_BUFFER_SIZE', bytes);
  }

  getReceiveBufferSize(): number {
    return readOption(this.fd, SocketOption.RECEIVE_BUFFER_SIZE);
  }

  /** SO_SNDBUF in bytes. */
  setSendBufferSize(bytes: number): void {
    writeBufferSize(this.fd, 'SEND_BUFFER_SIZE', bytes);
  }

  getSendBufferSize(): number {
    return readOption(this.fd, SocketOption.SEND_BUFFER_SIZE);
  }

  /** Whether an IPv6 socket refuses IPv4. False for IPv4. */
  isIpv6Only(): boolean {
    const { fd } = this;
    return readOption(fd, SocketOption.FAMILY) === 6 && readOption(fd, SocketOption.ONLY_V6) !== 0;
  }
}

function openSocket(addon: Addon, wire: Uint8Array): Descriptor {
  const descriptor = addon.socket.open(familyOf(wire));
  if (typeof descriptor === 'number') throw systemError('socket', descriptor);
  return descriptor;
}
