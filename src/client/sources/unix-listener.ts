/** `UnixListener`: a listening Unix-domain socket whose connections the I/O thread accepts ahead. Not on Windows. */
import type { SystemError } from '../../errors.js';
import { loadAddon } from '../../native.js';
import type { DetachedShared, SharedUnixListener } from '../../protocol/transfer.js';
import { checkInteger } from '../check-integer.js';
import type { IoThread } from '../io-thread/io-thread.js';
import { kSource } from '../link/handle.js';
import { adoptSocket } from './adopt.js';
import { ListenerSource } from './listener-source.js';
import { SocketFile } from './socket-file.js';
import { FlushingObject } from './source-object.js';
import { clientToServe } from './stream-transfer.js';
import { encodeUnixName, openUnixSocket, UNIX_STREAM, unixNameOf, unixStep } from './unix-name.js';
import { UnixStream } from './unix-stream.js';

/** How to bind a Unix-domain listener. */
export interface UnixListenerOptions {
  /** Connections that the kernel holds beyond those accepted ahead. Default 511; the kernel may cap it. */
  readonly backlog?: number;
}

/** A connection and who made it. */
export interface UnixAccepted {
  readonly stream: UnixStream;
  /** The name of the peer; undefined if it has none, as is usual. */
  readonly peer: string | undefined;
}

const BACKLOG_DEFAULT = 511;

/** A listening Unix-domain socket. Belongs to the thread that bound it. */
export class UnixListener extends FlushingObject<ListenerSource> {
  private constructor(source: ListenerSource, file: SocketFile | undefined) {
    super(source);
    source.file = file;
  }

  /**
   * Binds to a path, or on Linux to a zero byte and an abstract name, and listens, at once. The file goes with `close`.
   *
   * @throws the system's error (EADDRINUSE, EACCES, ENOENT) with `address`; ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_UNSUPPORTED
   */
  static override bind(name: string, { backlog = BACKLOG_DEFAULT }: UnixListenerOptions = {}): UnixListener {
    const bytes = encodeUnixName(name);
    checkInteger('A backlog', backlog, 1, 2 ** 31 - 1);
    const { socket } = loadAddon();
    const descriptor = openUnixSocket(UNIX_STREAM);
    unixStep(descriptor, 'listen', name, socket.bindUnix(descriptor.fd, bytes));
    unixStep(descriptor, 'listen', name, socket.listen(descriptor.fd, backlog));
    return new UnixListener(ListenerSource.bound('UnixListener', descriptor), new SocketFile(name));
  }

  /**
   * Adopts a listening Unix-domain socket that was opened elsewhere; it is this object's from now on, but not its file.
   *
   * @throws ERR_SIDEPORT_INVALID_ARG unless it is one; the system's error (EBADF, ENOTSOCK)
   */
  static fromDescriptor(fd: number): UnixListener {
    const descriptor = adoptSocket(fd, 'a Unix-domain listener', { families: [1], type: 1, listening: true });
    return new UnixListener(ListenerSource.bound('UnixListener', descriptor), undefined);
  }

  /**
   * A name by which other threads share this listener, see {@link from}: as {@link TcpListener.share}. The file goes with the last sharer that
   * calls `close`.
   *
   * @param ioThread  which is to serve a listener that was never registered. Default: this process's
   * @throws ERR_SIDEPORT_OTHER_IO_THREAD when it is served by another already, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT
   */
  share(ioThread?: IoThread): SharedUnixListener {
    const source = this[kSource];
    return { ...source.share<'UnixListener'>(clientToServe(source, ioThread)), file: source.file?.share() };
  }

  /**
   * This thread's own object on a shared listener; register and close it like any other.
   *
   * @throws ERR_SIDEPORT_CLOSED when it has no sharer left, ERR_SIDEPORT_LIMIT, ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_INVALID_ARG
   */
  static from(shared: SharedUnixListener): UnixListener {
    return SocketFile.joining(shared, (file) => new UnixListener(ListenerSource.joined(shared, 'UnixListener'), file));
  }

  /** @internal Moved here with its Poll, and its part in the file with it. */
  static attached(name: DetachedShared<'UnixListener'>): UnixListener {
    return new UnixListener(ListenerSource.attached(name, 'UnixListener'), SocketFile.inherited(name.shared));
  }

  /** The next connection, or null when there is none yet. One event may stand for many. The stream receives once it is registered. */
  accept(): UnixAccepted | null {
    const source = this[kSource].accept();
    if (!source) return null;
    source.kind = 'UnixStream';
    const stream = new UnixStream(source);
    return { stream, peer: peerOf(stream) };
  }

  /** Why accepting has paused (EMFILE, …), and forgets it. It resumes by itself when descriptors are to be had. */
  takeError(): SystemError | null {
    return this[kSource].takeError();
  }

  /** The name that it is bound to. @throws the system's error */
  localName(): string | undefined {
    return unixNameOf(this[kSource].descriptor(), false);
  }

  /** Stops listening and removes its file, if no thread shares it; connections accepted ahead and not taken are closed, or another sharer's. Idempotent. */
  override close(): void {
    if (!this.closed) this[kSource].file?.leave();
    super.close();
  }
}

/** It may have gone again already, and is no peer any more. */
function peerOf(stream: UnixStream): string | undefined {
  try {
    return stream.peerName();
  } catch {
    return undefined;
  }
}
