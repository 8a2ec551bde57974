/** `UnixDatagram`: a socket of datagrams between processes of one machine. Not on Windows. */
import { systemError } from '../../errors.js';
import { type Descriptor, loadAddon } from '../../native.js';
import { ADDRESS_BYTES } from '../../protocol/address.js';
import { UNIX_FAMILY, UNIX_NAME_BYTES } from '../../protocol/datagram.js';
import type { DetachedShared, SharedUnixDatagram } from '../../protocol/transfer.js';
import type { IoThread } from '../io-thread/io-thread.js';
import { kSource } from '../link/handle.js';
import { adoptSocket } from './adopt.js';
import { decodeUnixSource } from './datagram.js';
import { DatagramObject } from './datagram-object.js';
import { DatagramSource } from './datagram-source.js';
import { SocketFile } from './socket-file.js';
import { clientToServe } from './stream-transfer.js';
import {
  encodeUnixName,
  openUnixPair,
  openUnixSocket,
  printable,
  UNIX_DATAGRAM,
  unixNameOf,
  unixStep,
} from './unix-name.js';

/**
 * A Unix-domain socket of datagrams. See {@link DatagramObject} for receiving and sending. None is lost on the way: a sender to a
 * peer that does not read waits. That holds for `send`; `sendTo` a name whose socket has no room loses the datagram, with EAGAIN as the error.
 */
export class UnixDatagram extends DatagramObject<string | undefined> {
  private constructor(source: DatagramSource, file?: SocketFile) {
    super(source, decodeUnixSource);
    source.file = file;
  }

  /**
   * Binds to a path, or on Linux to a zero byte and an abstract name, at once. The file goes with `close`.
   *
   * @throws the system's error (EADDRINUSE, EACCES, ENOENT) with `address`; ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_UNSUPPORTED
   */
  static override bind(name: string): UnixDatagram {
    const bytes = encodeUnixName(name);
    const descriptor = openUnixSocket(UNIX_DATAGRAM);
    unixStep(descriptor, 'bind', name, loadAddon().socket.bindUnix(descriptor.fd, bytes));
    return new UnixDatagram(bound(descriptor), new SocketFile(name));
  }

  /** A socket without a name: it sends, and nobody can answer. @throws the system's error, ERR_SIDEPORT_UNSUPPORTED */
  static unbound(): UnixDatagram {
    return new UnixDatagram(bound(openUnixSocket(UNIX_DATAGRAM)));
  }

  /** Two sockets that are each other's peer. @throws the system's error, ERR_SIDEPORT_UNSUPPORTED */
  static pair(): [UnixDatagram, UnixDatagram] {
    const [first, second] = openUnixPair(UNIX_DATAGRAM).map((descriptor) => {
      const socket = new UnixDatagram(bound(descriptor));
      socket.hasPeer = true;
      return socket;
    }) as [UnixDatagram, UnixDatagram];
    return [first, second];
  }

  /**
   * Adopts a Unix-domain socket of datagrams that was opened elsewhere; it is this object's from now on, but not its file.
   *
   * @throws ERR_SIDEPORT_INVALID_ARG unless it is one; the system's error (EBADF, ENOTSOCK)
   */
  static fromDescriptor(fd: number): UnixDatagram {
    return UnixDatagram.#of(bound(adoptSocket(fd, 'a Unix-domain socket of datagrams', { families: [1], type: 2 })));
  }

  /**
   * A name by which other threads share this socket, see {@link from}: each datagram goes to exactly one sharer, the one that has the fewest
   * unread of those registered for READABLE, round robin on ties; every sharer sends. What a sharer has not read when it closes or ends goes to
   * the others. The socket closes with its last sharer, and its file with the last that calls `close`; this object is one, registered or not. Options are the socket's, and so everybody's;
   * name a peer before sharing.
   *
   * @param ioThread  which is to serve a socket that was never registered. Default: this process's
   * @throws ERR_SIDEPORT_OTHER_IO_THREAD when it is served by another already, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT
   */
  share(ioThread?: IoThread): SharedUnixDatagram {
    const source = this[kSource];
    return { ...source.share<'UnixDatagram'>(clientToServe(source, ioThread)), file: source.file?.share() };
  }

  /**
   * This thread's own object on a shared socket; register and close it like any other.
   *
   * @throws ERR_SIDEPORT_CLOSED when it has no sharer left, ERR_SIDEPORT_LIMIT, ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_INVALID_ARG
   */
  static from(shared: SharedUnixDatagram): UnixDatagram {
    return SocketFile.joining(shared, (file) => UnixDatagram.#of(DatagramSource.joined(shared, 'UnixDatagram'), file));
  }

  /** @internal Moved here with its Poll, and its part in the file with it. */
  static attached(name: DetachedShared<'UnixDatagram'>): UnixDatagram {
    return UnixDatagram.#of(DatagramSource.attached(name, 'UnixDatagram'), SocketFile.inherited(name.shared));
  }

  /** Of a socket that was opened elsewhere. */
  static #of(source: DatagramSource, file?: SocketFile): UnixDatagram {
    const socket = new UnixDatagram(source, file);
    socket.hasPeer = loadAddon().socket.unixName(source.descriptor(), true, new Uint8Array(UNIX_NAME_BYTES)) >= 0;
    return socket;
  }

  /**
   * Names the peer: `send` goes there, and only its datagrams are received from now on.
   *
   * @throws the system's error (ENOENT, ECONNREFUSED) with `address`; ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_UNSUPPORTED
   */
  connect(name: string): void {
    const bytes = encodeUnixName(name);
    const fd = this[kSource].descriptor();
    this[kSource].settleSends();
    const errno = loadAddon().socket.connectUnix(fd, bytes);
    if (errno < 0) throw systemError('connect', errno, { address: printable(name), port: 0 });
    this.hasPeer = true;
  }

  /**
   * Sends a datagram to whoever is bound to `name`. The socket must be registered.
   *
   * @returns its length; null when there is no room (wait for *writable*)
   * @throws ERR_SIDEPORT_NOT_REGISTERED, ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_UNSUPPORTED, and as `send`; that nobody is bound to the name
   * (ENOENT, ECONNREFUSED) is the error of a later call
   */
  sendTo(bytes: Uint8Array, name: string): number | null {
    const encoded = encodeUnixName(name);
    const address = new Uint8Array(ADDRESS_BYTES);
    address[0] = UNIX_FAMILY;
    return this.sendVia(bytes, { address, name: encoded });
  }

  /** The name that it is bound to; undefined for none. @throws the system's error */
  localName(): string | undefined {
    return unixNameOf(this[kSource].descriptor(), false);
  }

  /** The peer's name; undefined if it has none. @throws ENOTCONN without a peer */
  peerName(): string | undefined {
    return unixNameOf(this[kSource].descriptor(), true);
  }

  /** Closes, and removes its file, if no thread shares it; what was accepted for sending is still sent. Idempotent. */
  override close(): void {
    if (!this.closed) this[kSource].file?.leave();
    super.close();
  }
}

function bound(descriptor: Descriptor): DatagramSource {
  return DatagramSource.bound('UnixDatagram', descriptor);
}
