/** `UnixStream`: a stream between processes of one machine. Not on Windows. */
import { type Descriptor, loadAddon } from '../../native.js';
import { ADDRESS_BYTES } from '../../protocol/address.js';
import type { DetachedStream, SplitStream } from '../../protocol/transfer.js';
import type { IoThread } from '../io-thread/io-thread.js';
import { kSource } from '../link/handle.js';
import { adoptSocket } from './adopt.js';
import { MovableStream } from './movable-stream.js';
import { StreamSource } from './stream-source.js';
import { clientToServe } from './stream-transfer.js';
import { encodeUnixName, openUnixPair, openUnixSocket, UNIX_STREAM, unixNameOf, unixStep } from './unix-name.js';

/**
 * A Unix-domain stream. See {@link StreamObject} for reading and writing, {@link MovableStream} for changing threads. Names are paths, or on Linux a zero byte and an abstract name.
 *
 * A pair makes the standard streams of a child process sources: hand one end's descriptor to `spawn` and close it.
 *
 * ```ts
 * const [ours, theirs] = UnixStream.pair();
 * spawn('sort', { stdio: [theirs.fd, theirs.fd, 'inherit'] });
 * theirs.close();
 * ```
 */
export class UnixStream extends MovableStream<'UnixStream'> {
  /** @internal */

  constructor(source: StreamSource) {
    super(source);
  }

  /**
   * Connects, at once: a Unix socket does or does not. It receives once it is registered.
   *
   * @throws the system's error (ENOENT, ECONNREFUSED, EACCES; EAGAIN when the listener's backlog is full) with `address`;
   * ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_UNSUPPORTED
   */
  static connect(name: string): UnixStream {
    const bytes = encodeUnixName(name);
    const descriptor = openUnixSocket(UNIX_STREAM);
    unixStep(descriptor, 'connect', name, loadAddon().socket.connectUnix(descriptor.fd, bytes));
    return UnixStream.#connected(descriptor);
  }

  /**
   * Takes over a stream that another thread, or this one, has detached, exactly where it stood. It is registered nowhere;
   * whatever is unread is readable at once.
   *
   * @param name  what `detach` gave; good for one attach
   * @throws ERR_SIDEPORT_TRANSFER_USED the second time, ERR_SIDEPORT_TRANSFER_EXPIRED after `transferTimeoutMs`,
   * ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT (the name stays good then), ERR_SIDEPORT_INVALID_ARG
   */
  static attach(name: DetachedStream<'UnixStream'>): UnixStream {
    return new UnixStream(StreamSource.attached(name, 'UnixStream'));
  }

  /** Two streams that are each other's peer. @throws the system's error, ERR_SIDEPORT_UNSUPPORTED */
  static pair(): [UnixStream, UnixStream] {
    const [first, second] = openUnixPair(UNIX_STREAM);
    return [UnixStream.#connected(first), UnixStream.#connected(second)];
  }

  /**
   * Adopts a connected Unix-domain stream that was opened elsewhere, such as a standard stream that a parent process made one; it is this object's
   * from now on, and nobody else may read, write or close it.
   *
   * @throws ERR_SIDEPORT_INVALID_ARG unless it is one; the system's error (EBADF, ENOTSOCK, ENOTCONN)
   */
  static fromDescriptor(fd: number): UnixStream {
    const expected = { families: [1], type: 1, listening: false };
    const descriptor = adoptSocket(fd, 'a Unix-domain stream', expected, () => unixNameOf(fd, true));
    return UnixStream.#connected(descriptor);
  }

  /**
   * Lets go of this stream as two halves, for a thread each to attach (UnixReader.attach, UnixWriter.attach), the same one perhaps: full duplex. Unread data goes to
   * the reader, accepted writes and water marks to the writer, an error that was not taken to both. Its registrations end, this object is
   * closed. A half that nobody attaches within `transferTimeoutMs` is closed as by `close`. Options are set before.
   *
   * @param ioThread  which is to serve a stream that was never registered. Default: this process's
   * @returns two names that pass through `postMessage` and `workerData` to threads of this process
   * @throws ENOTCONN while not connected; as {@link detach}; ERR_SIDEPORT_LIMIT when this thread has no slot left for the second half. Nothing has changed then
   */
  split(ioThread?: IoThread): SplitStream<'UnixReader', 'UnixWriter'> {
    const source = this[kSource];
    const client = clientToServe(source, ioThread);
    const ends = () => ({ local: this.localName(), peer: this.peerName() });
    return source.split(client, 'UnixReader', 'UnixWriter', ends) as SplitStream<'UnixReader', 'UnixWriter'>;
  }

  /** The name that it was bound to; undefined for none, as any stream that connects. @throws the system's error */
  localName(): string | undefined {
    return unixNameOf(this.fd, false);
  }

  /** The peer's name; undefined if it has none. @throws the system's error */
  peerName(): string | undefined {
    return unixNameOf(this.fd, true);
  }

  static #connected(descriptor: Descriptor): UnixStream {
    return new UnixStream(StreamSource.connected('UnixStream', descriptor, new Uint8Array(ADDRESS_BYTES)));
  }
}
