/** `ForeignStream`: a descriptor or handle of another maker, read and written by the I/O thread. */
import { errnoOf, fail, systemError } from '../../errors.js';
import { type Descriptor, loadAddon } from '../../native.js';
import { ADDRESS_BYTES } from '../../protocol/address.js';
import { INTEREST_READABLE } from '../../protocol/interest.js';
import { Access } from '../../protocol/port-records.js';
import type { DetachedStream } from '../../protocol/transfer.js';
import { checkInteger } from '../check-integer.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { Ready } from '../polling/events.js';
import { MovableStream } from './movable-stream.js';
import { arrive } from './stream-move.js';
import { StreamSource } from './stream-source.js';

const KIND = 'ForeignStream';
const EBADF = errnoOf('EBADF');
const EINVAL = errnoOf('EINVAL');

/** As it was opened, it may be for one direction only: then it is never ready for the other. */
class ForeignSource extends StreamSource {
  readonly #access: number;

  static adopted(descriptor: Descriptor, access: number): ForeignSource {
    const stream = new ForeignSource(access, descriptor, descriptor.fd);
    stream.prepare(KIND, new Uint8Array(ADDRESS_BYTES), true);
    return stream;
  }

  /** Detached elsewhere, and ours if this does not throw. */
  static arrived(name: DetachedStream<typeof KIND>): ForeignSource {
    return arrive(name, KIND, (client, at) => new ForeignSource(name.access ?? 0, undefined, name.fd, client, at));
  }

  private constructor(
    access: number,
    descriptor: Descriptor | undefined,
    fd: number,
    client?: Client,
    name?: SlotName,
  ) {
    super(descriptor, fd, client, name);
    this.#access = access;
  }

  override readiness(): number {
    const ready = super.readiness();
    return this.#mayWrite || (ready & Ready.ERROR) !== 0 ? ready : ready & ~Ready.WRITABLE;
  }

  protected override describeMore(): { access: number } {
    return { access: this.#access };
  }

  override read(into: Uint8Array): number | null {
    this.#check('read', this.#mayRead);
    return super.read(into);
  }

  override write(bytes: Uint8Array): number | null {
    this.#check('write', this.#mayWrite);
    return super.write(bytes);
  }

  override shutdown(how: 'read' | 'write' | 'both'): void {
    if (how !== 'read') {
      this.checkOpen();
      throw fail('ERR_SIDEPORT_UNSUPPORTED', 'What is no socket has no end of one direction: close it');
    }
    super.shutdown(how);
  }

  protected override attach(client: Client, interest: number): void {
    super.attach(client, this.#served(interest));
  }

  protected override interestChanged(interest: number): void {
    super.interestChanged(this.#served(interest));
  }

  get #mayRead(): boolean {
    return (this.#access & Access.READ) !== 0;
  }

  get #mayWrite(): boolean {
    return (this.#access & Access.WRITE) !== 0;
  }

  /** What cannot be read is not tried. */
  #served(interest: number): number {
    return this.#mayRead ? interest : interest & ~INTEREST_READABLE;
  }

  #check(syscall: string, may: boolean): void {
    this.checkOpen();
    if (!may) throw systemError(syscall, EBADF);
  }
}

/**
 * Any descriptor that can be polled and is no socket (pipes, FIFOs, terminals, serial lines, inotify, eventfd), and on Windows any handle that was
 * opened for overlapped operations (`FILE_FLAG_OVERLAPPED`): a stream of bytes, as `StreamObject` describes,
 * which changes threads as {@link MovableStream} does. Sockets and named pipes have
 * `fromDescriptor`s of their own class.
 *
 * The I/O thread *performs* reads and writes, ahead of whoever asks for them; it does not merely watch. So what it promises of its own sockets it promises of
 * these, and the memory of an operation in flight stays valid until its completion was seen, also when the stream is closed,
 * its thread ends or the process exits:
 *
 * - Bytes come in the order of the reads, each read's in a chunk of its own (`take`); an end or an error follows them.
 * - Writes are performed in order, and what the kernel takes in part is gone on with.
 * - From the adoption on the descriptor is this object's: nobody else may read, write or close it. It is made non-blocking, for all who share it.
 * - `close` performs what was written, for `lingerMs` at most, then closes the descriptor; `abort` closes it at once.
 *
 * What was opened for one direction is never ready for the other: reading it, or writing it, is EBADF. A reader's end is met by a write (EPIPE). On Windows a
 * handle of a file is read and written each from its beginning on; of others the end is a read of nothing.
 */
export class ForeignStream extends MovableStream<typeof KIND> {
  private constructor(source: ForeignSource) {
    super(source);
  }

  /**
   * Takes over a stream that another thread, or this one, has detached, exactly where it stood. It is registered nowhere;
   * whatever is unread is readable at once.
   *
   * @param name  what `detach` gave; good for one attach
   * @throws ERR_SIDEPORT_TRANSFER_USED the second time, ERR_SIDEPORT_TRANSFER_EXPIRED after `transferTimeoutMs`,
   * ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT (the name stays good then), ERR_SIDEPORT_INVALID_ARG
   */
  static attach(name: DetachedStream<'ForeignStream'>): ForeignStream {
    return new ForeignStream(ForeignSource.arrived(name));
  }

  /**
   * Adopts it. What is refused stays as it was, and the caller's.
   *
   * What `fs.open` opened in a Worker Node closes when that Worker ends, unless `fs.close` did: here that would be whatever has the number by then. So it is to be opened
   * by the main thread, or by a Worker that the main thread made with `trackUnmanagedFds: false`.
   *
   * @param descriptor  a file descriptor; on Windows the value of a HANDLE
   * @throws ERR_SIDEPORT_INVALID_ARG when it is a socket, a file (which no POSIX system can wait for) or, on Windows, was not opened for overlapped operations;
   * the system's error (EBADF)
   */
  static fromDescriptor(descriptor: number): ForeignStream {
    checkInteger('A descriptor', descriptor, 0, 2 ** 31 - 1);
    const { socket } = loadAddon();
    const access = socket.foreignAccess(descriptor);
    if (access === EINVAL) {
      throw fail('ERR_SIDEPORT_INVALID_ARG', `Descriptor ${descriptor} is a socket, or cannot be waited for`);
    }
    if (access < 0) throw systemError('adopt', access);
    const adopted = socket.adoptForeign(descriptor);
    if (typeof adopted === 'number') throw systemError('adopt', adopted);
    return new ForeignStream(ForeignSource.adopted(adopted, access));
  }
}
