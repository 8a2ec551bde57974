/** `UdpSocket`: a UDP socket whose datagrams the I/O thread receives ahead. */
import { fail, systemError } from '../../errors.js';
import { type Addon, type Descriptor, loadAddon } from '../../native.js';
import { ADDRESS_BYTES, decodeAddress, type SocketAddress } from '../../protocol/address.js';
import { SocketOption } from '../../protocol/socket-options.js';
import type { DetachedShared, SharedUdpSocket } from '../../protocol/transfer.js';
import type { Destination } from '../buffers/datagram-queue.js';
import { checkInteger } from '../check-integer.js';
import type { IoThread } from '../io-thread/io-thread.js';
import { kSource } from '../link/handle.js';
import { askAddress, checkEndpoint, type Endpoint, familyOf, wireAddress } from './address.js';
import { adoptSocket } from './adopt.js';
import { decodeUdpSource } from './datagram.js';
import { DatagramObject } from './datagram-object.js';
import { DatagramSource } from './datagram-source.js';
import { Multicast } from './multicast.js';
import { BUFFER_SIZE_MAX, readOption, setOption, writeBufferSize, writeOption } from './socket-options.js';
import { clientToServe } from './stream-transfer.js';

/** How to bind a UDP socket. */
export interface UdpBindOptions extends Endpoint {
  /** SO_REUSEADDR: other sockets may bind the same address, as groups of multicast receivers do. Default false. */
  readonly reuseAddress?: boolean;
  /** SO_REUSEPORT: likewise, and the kernel deals the datagrams among them. ENOTSUP where there is none. Default false. */
  readonly reusePort?: boolean;
  /** For an IPv6 address: refuse IPv4. Default false. */
  readonly ipv6Only?: boolean;
  /**
   * SO_RCVBUF in bytes: what the kernel holds while the I/O thread is not scheduled, or has no buffer left. The system may give less, and Linux counts
   * each datagram with its bookkeeping. Default 4 MiB, or what the system gives of it; 0 leaves the system's own, which on Linux is 208 KiB and full
   * with some 280 small datagrams.
   */
  readonly receiveBufferSize?: number;
}

const RECEIVE_BUFFER_SIZE = 4 * 2 ** 20;

const NO_NAME = new Uint8Array(0);
const NOBODY = new Uint8Array(ADDRESS_BYTES);

/** A UDP socket. See {@link DatagramObject} for receiving and sending. */
export class UdpSocket extends DatagramObject<SocketAddress> {
  /** Groups, and how datagrams to groups are sent. */
  readonly multicast: Multicast;
  readonly #addon: Addon;
  readonly #family: number;
  /** Whereto the last datagram was sent: most programs send many to one place. */
  #lastEndpoint: Endpoint | undefined;
  #lastDestination: Destination | undefined;

  private constructor(source: DatagramSource, family: number, addon: Addon) {
    super(source, decodeUdpSource);
    this.#addon = addon;
    this.#family = family;
    this.multicast = new Multicast(() => this.#settledFd, family === 6);
  }

  /**
   * Binds, at once; with port 0 to a free one. Datagrams are received from the first `register` on; those that come before wait in the
   * kernel.
   *
   * @throws the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL, …) with `address` and `port`; that of `setsockopt` for a `receiveBufferSize` it does not
   * take; ERR_SIDEPORT_INVALID_ADDRESS, ERR_SIDEPORT_INVALID_ARG
   */
  static override bind(options: UdpBindOptions): UdpSocket {
    checkEndpoint(options);
    const { reuseAddress = false, reusePort = false, ipv6Only = false, receiveBufferSize, host, port } = options;
    if (receiveBufferSize !== undefined) checkInteger('receiveBufferSize', receiveBufferSize, 0, BUFFER_SIZE_MAX);
    const addon = loadAddon();
    const wire = wireAddress(options);
    const descriptor = addon.socket.openDatagram(familyOf(wire));
    if (typeof descriptor === 'number') throw systemError('socket', descriptor);
    // Before it is bound, and datagrams come.
    sizeReceiveBuffer(addon, descriptor, receiveBufferSize);
    const errno = addon.socket.bind(descriptor.fd, wire, reuseAddress, reusePort, ipv6Only);
    if (errno < 0) {
      descriptor.close();
      throw systemError('bind', errno, decodeAddress(wire) ?? { address: host, port });
    }
    return new UdpSocket(DatagramSource.bound('UdpSocket', descriptor), familyOf(wire), addon);
  }

  /**
   * Adopts a UDP socket that was opened elsewhere, bound or not; it is this object's from now on, and nobody else may close it.
   *
   * @throws ERR_SIDEPORT_INVALID_ARG unless it is a UDP socket; the system's error (EBADF, ENOTSOCK)
   */
  static fromDescriptor(fd: number): UdpSocket {
    const descriptor = adoptSocket(fd, 'a UDP socket', { families: [4, 6], type: 2 });
    return UdpSocket.#of(DatagramSource.bound('UdpSocket', descriptor));
  }

  /**
   * A name by which other threads share this socket, see {@link from}: each datagram goes to exactly one sharer, the one that has the fewest
   * unread of those registered for READABLE, round robin on ties; every sharer sends. What a sharer has not read when it closes or ends goes to
   * the others. The socket closes with its last sharer; this object is one, registered or not. Options are the socket's, and so everybody's;
   * name a peer before sharing.
   *
   * @param ioThread  which is to serve a socket that was never registered. Default: this process's
   * @throws ERR_SIDEPORT_OTHER_IO_THREAD when it is served by another already, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT
   */
  share(ioThread?: IoThread): SharedUdpSocket {
    const source = this[kSource];
    return source.share<'UdpSocket'>(clientToServe(source, ioThread));
  }

  /**
   * This thread's own object on a shared socket; register and close it like any other.
   *
   * @throws ERR_SIDEPORT_CLOSED when it has no sharer left, ERR_SIDEPORT_LIMIT, ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_INVALID_ARG
   */
  static from(shared: SharedUdpSocket): UdpSocket {
    return UdpSocket.#of(DatagramSource.joined(shared, 'UdpSocket'));
  }

  /** @internal Moved here with its Poll. */
  static attached(name: DetachedShared<'UdpSocket'>): UdpSocket {
    return UdpSocket.#of(DatagramSource.attached(name, 'UdpSocket'));
  }

  /** Of a socket that was opened elsewhere. */
  static #of(source: DatagramSource): UdpSocket {
    const addon = loadAddon();
    const fd = source.descriptor();
    const socket = new UdpSocket(source, readOption(fd, SocketOption.FAMILY), addon);
    socket.hasPeer = addon.socket.peerAddress(fd, new Uint8Array(ADDRESS_BYTES)) === 0;
    return socket;
  }

  /**
   * Sends a datagram. It is taken whole or not at all; any number may be in flight.
   *
   * @returns its length; null when there is no room (wait for *writable*)
   * @throws ERR_SIDEPORT_INVALID_ADDRESS, ERR_SIDEPORT_INVALID_ARG, and as {@link send}
   */
  sendTo(bytes: Uint8Array, endpoint: Endpoint): number | null {
    return this.sendVia(bytes, this.#destination(endpoint));
  }

  /**
   * Names the peer: `send` goes there, and only its datagrams are received from now on. Connecting again names another one. What was
   * sent before goes to the peer before.
   *
   * @throws the system's error (ENETUNREACH, …) with `address` and `port`; ERR_SIDEPORT_INVALID_ADDRESS, ERR_SIDEPORT_INVALID_ARG
   */
  connect(endpoint: Endpoint): void {
    const { address } = this.#destination(endpoint);
    const errno = this.#addon.socket.connectDatagram(this.#settledFd, address);
    if (errno < 0) throw systemError('connect', errno, decodeAddress(address));
    this.hasPeer = true;
  }

  /** Takes the peer away: from now on datagrams come from anywhere. @throws the system's error */
  disconnect(): void {
    const errno = this.#addon.socket.connectDatagram(this.#settledFd, NOBODY);
    if (errno < 0) throw systemError('connect', errno);
    this.hasPeer = false;
  }

  /** The address bound to; with port 0 the one that the kernel chose. @throws the system's error */
  localAddress(): SocketAddress {
    return askAddress(this.#addon.socket, 'localAddress', this.#fd);
  }

  /** The peer that `connect` named. @throws ENOTCONN without one */
  peerAddress(): SocketAddress {
    return askAddress(this.#addon.socket, 'peerAddress', this.#fd);
  }

  /** SO_BROADCAST: allows sending to broadcast addresses. @throws the system's error */
  setBroadcast(on: boolean): void {
    writeOption(this.#settledFd, SocketOption.BROADCAST, on ? 1 : 0);
  }

  getBroadcast(): boolean {
    return readOption(this.#fd, SocketOption.BROADCAST) !== 0;
  }

  /** IP_TTL, or the IPv6 hop limit: 1 to 255. @throws the system's error */
  setTtl(ttl: number): void {
    setOption('setsockopt', this.#addon.socket.setTtl(this.#settledFd, ttl));
  }

  getTtl(): number {
    return setOption('getsockopt', this.#addon.socket.getTtl(this.#fd));
  }

  /** Whether an IPv6 socket refuses IPv4, see `bind`. @throws the system's error */
  isIpv6Only(): boolean {
    return this.#family === 6 && readOption(this.#fd, SocketOption.ONLY_V6) !== 0;
  }

  /** SO_RCVBUF in bytes: where datagrams wait that find no buffer of the I/O thread. The kernel may cap it, and Linux doubles it. */
  setReceiveBufferSize(bytes: number): void {
    writeBufferSize(this.#fd, 'RECEIVE_BUFFER_SIZE', bytes);
  }

  getReceiveBufferSize(): number {
    return readOption(this.#fd, SocketOption.RECEIVE_BUFFER_SIZE);
  }

  /** SO_SNDBUF in bytes. */
  setSendBufferSize(bytes: number): void {
    writeBufferSize(this.#fd, 'SEND_BUFFER_SIZE', bytes);
  }

  getSendBufferSize(): number {
    return readOption(this.#fd, SocketOption.SEND_BUFFER_SIZE);
  }

  /**
   * How many datagrams came for this socket and were lost on this host, modulo 2^32, since it was opened: all of them found the I/O thread's
   * datagram buffers used up and the kernel's buffer full, or were damaged. Every other one that reached the host is delivered.
   *
   * @throws ENOTSUP where the kernel does not count (all but Linux)
   */
  droppedCount(): number {
    return readOption(this.#fd, SocketOption.DROPS) >>> 0;
  }

  #destination(endpoint: Endpoint): Destination {
    const last = this.#lastEndpoint;
    if (last && last.host === endpoint?.host && last.port === endpoint.port)
      return this.#lastDestination as Destination;
    checkEndpoint(endpoint);
    const { host, port } = endpoint;
    if (port === 0) throw fail('ERR_SIDEPORT_INVALID_ARG', 'Nobody receives at port 0');
    const address = wireAddress(endpoint);
    if (familyOf(address) !== this.#family) {
      throw fail('ERR_SIDEPORT_INVALID_ADDRESS', `An IPv${this.#family} socket does not send to ${host}`);
    }
    this.#lastEndpoint = { host, port };
    this.#lastDestination = { address, name: NO_NAME };
    return this.#lastDestination;
  }

  get #fd(): number {
    return this[kSource].descriptor();
  }

  /** For calls that change how datagrams are sent: what was sent before goes as it was. */
  get #settledFd(): number {
    const fd = this.#fd;
    this[kSource].settleSends();
    return fd;
  }
}

/** @throws the system's error, the descriptor closed, when it refuses a size that was asked for */
function sizeReceiveBuffer(addon: Addon, descriptor: Descriptor, asked: number | undefined): void {
  const size = asked ?? RECEIVE_BUFFER_SIZE;
  if (size === 0) return;
  const errno = addon.socket.setOption(descriptor.fd, SocketOption.RECEIVE_BUFFER_SIZE, size);
  // Linux gives what it allows of it, others refuse what is more.
  if (errno >= 0 || asked === undefined) return;
  descriptor.close();
  throw systemError('setsockopt', errno);
}
