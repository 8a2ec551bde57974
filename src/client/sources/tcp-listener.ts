/** `TcpListener`: a listening TCP socket whose connections the I/O thread accepts ahead. */
import { type SystemError, systemError } from '../../errors.js';
import { type Addon, type Descriptor, loadAddon } from '../../native.js';
import { decodeAddress, type SocketAddress } from '../../protocol/address.js';
import { SocketOption } from '../../protocol/socket-options.js';
import type { DetachedShared, SharedListener } from '../../protocol/transfer.js';
import { checkInteger } from '../check-integer.js';
import type { IoThread } from '../io-thread/io-thread.js';
import { kSource } from '../link/handle.js';
import { askAddress, checkEndpoint, type Endpoint, familyOf, wireAddress } from './address.js';
import { adoptSocket } from './adopt.js';
import { ListenerSource } from './listener-source.js';
import { readOption, setOption } from './socket-options.js';
import { FlushingObject } from './source-object.js';
import { clientToServe } from './stream-transfer.js';
import { TcpStream } from './tcp-stream.js';

/** How to bind a listener. */
export interface BindOptions extends Endpoint {
  /** Connections that the kernel holds beyond those accepted ahead. Default 511, as in Node; the kernel may cap it. */
  readonly backlog?: number;
  /** For an IPv6 address: refuse IPv4. Default false. */
  readonly ipv6Only?: boolean;
  /**
   * Other listeners may bind the same port, if they say so as well; Linux deals the connections among them. ENOTSUP where
   * the system has no SO_REUSEPORT. Default false.
   */
  readonly reusePort?: boolean;
}

/** A connection and who made it. */
export interface Accepted {
  readonly stream: TcpStream;
  readonly peer: SocketAddress;
}

const BACKLOG_DEFAULT = 511;

/** A listening socket. Belongs to the thread that bound it. */
export class TcpListener extends FlushingObject<ListenerSource> {
  readonly #addon: Addon;

  private constructor(source: ListenerSource, addon: Addon) {
    super(source);
    this.#addon = addon;
  }

  /**
   * Binds and listens, at once. Connections are accepted from the first `register` on; until then the kernel's backlog
   * takes them. SO_REUSEADDR is set, except on Windows, where it would let others take the port over.
   *
   * @throws the system's error (EADDRINUSE, EACCES, EADDRNOTAVAIL, …) with `address` and `port`; ERR_SIDEPORT_INVALID_ADDRESS,
   * ERR_SIDEPORT_INVALID_ARG
   */
  static override bind(options: BindOptions): TcpListener {
    checkEndpoint(options);
    const { backlog = BACKLOG_DEFAULT, ipv6Only = false, reusePort = false, host, port } = options;
    checkInteger('A backlog', backlog, 1, 2 ** 31 - 1);
    const addon = loadAddon();
    const wire = wireAddress(options);
    const descriptor = addon.socket.open(familyOf(wire));
    if (typeof descriptor === 'number') throw systemError('socket', descriptor);
    const where = decodeAddress(wire) ?? { address: host, port };
    step(descriptor, where, addon.socket.bind(descriptor.fd, wire, true, reusePort, ipv6Only));
    step(descriptor, where, addon.socket.listen(descriptor.fd, backlog));
    return new TcpListener(ListenerSource.bound('TcpListener', descriptor), addon);
  }

  /**
   * A name by which other threads share this listener, see {@link from}: each connection goes to exactly one sharer, the one that has the
   * fewest unclaimed of those registered for READABLE, round robin on ties. What a sharer has not claimed by `accept` when it
   * closes, ends or stalls goes to the others. The socket closes with its last sharer; this object is one, registered or not.
   *
   * @param ioThread  which is to serve a listener that was never registered. Default: this process's
   * @throws ERR_SIDEPORT_OTHER_IO_THREAD when it is served by another already, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT
   */
  share(ioThread?: IoThread): SharedListener {
    const source = this[kSource];
    return source.share(clientToServe(source, ioThread));
  }

  /**
   * This thread's own object on a shared listener; register and close it like any other.
   *
   * @throws ERR_SIDEPORT_CLOSED when it has no sharer left, ERR_SIDEPORT_LIMIT, ERR_SIDEPORT_IO_THREAD_GONE,
   * ERR_SIDEPORT_INVALID_ARG
   */
  static from(shared: SharedListener): TcpListener {
    return new TcpListener(ListenerSource.joined(shared, 'TcpListener'), loadAddon());
  }

  /** @internal Moved here with its Poll. */
  static attached(name: DetachedShared<'TcpListener'>): TcpListener {
    return new TcpListener(ListenerSource.attached(name, 'TcpListener'), loadAddon());
  }

  /**
   * Adopts a listening TCP socket that was opened elsewhere; it is this object's from now on, and nobody else may close it.
   *
   * @throws ERR_SIDEPORT_INVALID_ARG unless it is one; the system's error (EBADF, ENOTSOCK)
   */
  static fromDescriptor(fd: number): TcpListener {
    const descriptor = adoptSocket(fd, 'a TCP listener', { families: [4, 6], type: 1, listening: true });
    return new TcpListener(ListenerSource.bound('TcpListener', descriptor), loadAddon());
  }

  /**
   * The next connection, or null when there is none yet. One event may stand for many: accept until null. The
   * stream receives once it is registered.
   */
  accept(): Accepted | null {
    const source = this[kSource].accept();
    if (!source) return null;
    return { stream: new TcpStream(source), peer: source.peer() as SocketAddress };
  }

  /** Why accepting has paused (EMFILE, …), and forgets it. It resumes by itself when descriptors are to be had. */
  takeError(): SystemError | null {
    return this[kSource].takeError();
  }

  /** The address bound to; with port 0 the one that the kernel chose. @throws the system's error */
  localAddress(): SocketAddress {
    return askAddress(this.#addon.socket, 'localAddress', this[kSource].descriptor());
  }

  /** IP_TTL of the listener, which its connections inherit: 1 to 255. @throws the system's error */
  setTtl(ttl: number): void {
    setOption('setsockopt', this.#addon.socket.setTtl(this[kSource].descriptor(), ttl));
  }

  getTtl(): number {
    return setOption('getsockopt', this.#addon.socket.getTtl(this[kSource].descriptor()));
  }

  /** Whether an IPv6 listener refuses IPv4. False for IPv4. @throws the system's error */
  isIpv6Only(): boolean {
    const fd = this[kSource].descriptor();
    return readOption(fd, SocketOption.FAMILY) === 6 && readOption(fd, SocketOption.ONLY_V6) !== 0;
  }

  /** Stops listening; connections accepted ahead and not taken are reset. Idempotent. */
  override close(): void {
    super.close();
  }
}

/** One system call of binding; on failure nothing is left open. node:net names `listen` whichever of them fails. */
function step(descriptor: Descriptor, where: { address: string; port: number }, errno: number): void {
  if (errno >= 0) return;
  descriptor.close();
  throw systemError('listen', errno, where);
}
