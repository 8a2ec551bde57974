/** `NamedPipe`: a stream of bytes or messages between processes. On Windows alone. */
import { errnoOf, fail, systemError } from '../../errors.js';
import { type Descriptor, loadAddon } from '../../native.js';
import { PipeTrait } from '../../protocol/port-records.js';
import type { DetachedStream } from '../../protocol/transfer.js';
import { checkInteger } from '../check-integer.js';
import { MovableStream } from './movable-stream.js';
import { PipeSource } from './pipe-source.js';

/** How a pipe is read and written. */
export type PipeMode = 'byte' | 'message';

/** How to make an instance of a server's end. */
export interface NamedPipeOptions {
  /** Of all instances of a name. Default `'byte'`. */
  readonly mode?: PipeMode;
  /** Instances that the name may have at once, 1 to 254; what the first one says counts. Default: any number. */
  readonly maxInstances?: number;
  /** Fails with EPERM when the name has an instance already, which may be another program's that waits for your clients. Default false. */
  readonly first?: boolean;
  /** Lets clients on other machines connect. Default false. */
  readonly remoteClients?: boolean;
}

const ENOTSUP = errnoOf('ENOTSUP');
const ANY_NUMBER = 255;
const NAME = /^\\\\[.?]\\pipe\\[^\0]+$/i;
const NAME_LENGTH_MAX = 256;

/**
 * A named pipe of Windows: either an *instance* of a server's end, which serves one client after another, or a client's end. See {@link StreamObject}
 * for reading and writing, {@link MovableStream} for changing threads. Elsewhere everything that makes one throws ERR_SIDEPORT_UNSUPPORTED.
 *
 * ```ts
 * const pipe = NamedPipe.create('\\\\.\\pipe\\echo');
 * poll.registry.register(pipe, 1, Interest.READABLE | Interest.WRITABLE);
 * // writable: a client is there; readClosed: it has gone
 * pipe.disconnect();
 * pipe.reconnect();
 * ```
 *
 * A server that serves many clients at once makes an instance for each: while none waits, `connect` is EBUSY.
 *
 * **Sessions.** From a client's arrival to `disconnect` is one session. Data, ends, errors, leases and unsent writes of a session are over with it;
 * none shows up in the next one. Registrations stay. An instance moves in any of its states: while it waits for a client, in a session, after `disconnect`,
 * and the next owner goes on from there.
 *
 * **Messages.** In message mode a `write` is one message, and each buffer of a `writev`: it is taken whole, or not at all (null); one longer than a send buffer
 * (`sendBufferSize`) is EMSGSIZE. A `read` gives no more than the rest of one message, and a lease part of one; {@link midMessage} says whether more of it follows, which
 * the system calls ERROR_MORE_DATA. Empty messages are neither sent nor told.
 *
 * Pipes know no half-close: `shutdown('write')` throws ERR_SIDEPORT_UNSUPPORTED. `close` sends what was written, and the other end can read it; `abort`
 * drops it, at a server's end also what the client has not read yet.
 */
export class NamedPipe extends MovableStream<'NamedPipe'> {
  readonly #pipe: PipeSource;

  private constructor(source: PipeSource) {
    super(source);
    this.#pipe = source;
  }

  /**
   * An instance of the server's end, at once. It waits for a client from its first registration on; it is *writable* once one is there.
   *
   * @param name  `\\.\pipe\…`
   * @throws the system's error (EBUSY when there are as many instances as there may be, EPERM) with `address`;
   * ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_UNSUPPORTED
   */
  static create(name: string, options: NamedPipeOptions = {}): NamedPipe {
    checkName(name);
    const { mode = 'byte', maxInstances = ANY_NUMBER, first = false, remoteClients = false } = options;
    const messages = isMessages(mode);
    if (maxInstances !== ANY_NUMBER) checkInteger('A number of instances', maxInstances, 1, ANY_NUMBER - 1);
    const { socket } = loadAddon();
    const opened = socket.createPipe(name, messages, first, remoteClients, maxInstances);
    return new NamedPipe(PipeSource.opened(checked(opened, 'listen', name), true, messages, true));
  }

  /**
   * A client's end, at once: a pipe connects or does not. It receives once it is registered.
   *
   * @throws the system's error (ENOENT, EBUSY while no instance waits: try again, EPERM) with `address`; EINVAL for message mode when
   * the server's is byte mode; ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_UNSUPPORTED
   */
  static connect(name: string, { mode = 'byte' }: { readonly mode?: PipeMode } = {}): NamedPipe {
    checkName(name);
    const messages = isMessages(mode);
    const descriptor = checked(loadAddon().socket.openPipe(name, messages), 'connect', name);
    return new NamedPipe(PipeSource.opened(descriptor, false, messages, false));
  }

  /**
   * Adopts either end of a connected pipe that was opened elsewhere, for overlapped operations; it is this object's from now on, and
   * nobody else may read, write or close it.
   *
   * @param handle  the value of the HANDLE
   * @throws ERR_SIDEPORT_INVALID_ARG unless it is one; the system's error (EBADF); ERR_SIDEPORT_UNSUPPORTED
   */
  static fromDescriptor(handle: number): NamedPipe {
    checkInteger('A handle', handle, 0, 2 ** 31 - 1);
    const { socket } = loadAddon();
    const traits = socket.pipeTraits(handle);
    if (traits === errnoOf('EINVAL')) {
      throw fail('ERR_SIDEPORT_INVALID_ARG', `Handle ${handle} is not a named pipe opened for overlapped operations`);
    }
    if (traits < 0) throw pipeError('adopt', traits);
    const descriptor = checked(socket.adoptPipe(handle), 'adopt');
    const isServer = (traits & PipeTrait.SERVER_END) !== 0;
    return new NamedPipe(PipeSource.opened(descriptor, isServer, (traits & PipeTrait.MESSAGES) !== 0, false));
  }

  /**
   * Takes over a pipe that another thread, or this one, has detached, exactly where it stood, in the midst of a message too. It is registered nowhere;
   * whatever is unread is readable at once.
   *
   * @param name  what `detach` gave; good for one attach
   * @throws ERR_SIDEPORT_TRANSFER_USED the second time, ERR_SIDEPORT_TRANSFER_EXPIRED after `transferTimeoutMs`,
   * ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT (the name stays good then), ERR_SIDEPORT_INVALID_ARG
   */
  static attach(name: DetachedStream<'NamedPipe'>): NamedPipe {
    return new NamedPipe(PipeSource.arrived(name));
  }

  /** Whether this is a server's end. */
  get isServer(): boolean {
    return this.#pipe.isServer;
  }

  /** Whether more of the message follows that was read, or taken, last. False in byte mode. */
  get midMessage(): boolean {
    return this.#pipe.midMessage;
  }

  /**
   * Ends the session at once, as the system's DisconnectNamedPipe does: what the client has not read is lost, writes that are not sent are dropped, leases
   * are over. Who wants its last words heard waits for the client's end (`isReadClosed`) first, or closes. Until `reconnect` nobody is served. Idempotent.
   *
   * @throws ERR_SIDEPORT_UNSUPPORTED at a client's end, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE
   */
  disconnect(): void {
    this.#pipe.disconnect();
  }

  /**
   * Waits for the next client, after `disconnect`; else it does nothing. *Writable* tells that one is there.
   *
   * @throws as {@link disconnect}
   */
  reconnect(): void {
    this.#pipe.reconnect();
  }
}

function checkName(name: string): void {
  if (typeof name === 'string' && NAME.test(name) && name.length <= NAME_LENGTH_MAX) return;
  const what = `A pipe's name is \\\\.\\pipe\\ and something behind it, ${NAME_LENGTH_MAX} characters at most`;
  throw fail('ERR_SIDEPORT_INVALID_ARG', `${what}, not ${JSON.stringify(name)}`);
}

function isMessages(mode: PipeMode): boolean {
  if (mode === 'byte' || mode === 'message') return mode === 'message';
  throw fail('ERR_SIDEPORT_INVALID_ARG', `A pipe's mode is 'byte' or 'message', not ${String(mode)}`);
}

function checked(opened: Descriptor | number, syscall: string, address?: string): Descriptor {
  if (typeof opened !== 'number') return opened;
  throw pipeError(syscall, opened, address);
}

function pipeError(syscall: string, errno: number, address?: string): Error {
  return errno === ENOTSUP
    ? fail('ERR_SIDEPORT_UNSUPPORTED', 'This system has no named pipes')
    : systemError(syscall, errno, address === undefined ? undefined : { address, port: 0 });
}
