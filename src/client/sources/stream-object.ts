/** What users can do with a stream of any kind: read, write, end it. */
import type { SystemError } from '../../errors.js';
import type { Lease } from '../buffers/lease.js';
import { kSource } from '../link/handle.js';
import { FlushingObject } from './source-object.js';
import type { StreamSource } from './stream-source.js';

/** A stream of bytes, both ways. Those methods that need the I/O thread throw ERR_SIDEPORT_IO_THREAD_GONE once it has ended. */
export abstract class StreamObject extends FlushingObject<StreamSource> {
  /**
   * Copies received bytes into `into`.
   *
   * @returns how many; 0 at the end of the stream (or for an empty `into`); null when there is nothing yet
   * @throws the error that ended the connection, once, after all data that came before it
   */
  read(into: Uint8Array): number | null {
    return this[kSource].read(into);
  }

  /** As {@link read}, and the bytes stay to be read. @returns as {@link read}, no more than what is there now */
  peek(into: Uint8Array): number | null {
    return this[kSource].peek(into);
  }

  /** As {@link read}, into one buffer after another. An error that comes after some bytes is thrown by the next call. */
  readv(into: readonly Uint8Array[]): number | null {
    return this[kSource].readv(into);
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

  /** As {@link write}, one buffer after another. An error that comes after some bytes is thrown by the next call. */
  writev(from: readonly Uint8Array[]): number | null {
    return this[kSource].writev(from);
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

  /**
   * The descriptor, for calls that neither read nor write nor close it. @throws ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE
   */
  get fd(): number {
    return this[kSource].descriptor();
  }

  /** Closes with a reset: accepted writes not yet sent are dropped. Idempotent. */
  abort(): void {
    this[kSource].abort();
  }
}
