/** What users can do with a stream of any kind: read, write, end it. */
import type { SystemError } from '../../errors.js';
import type { Lease } from '../buffers/lease.js';
import { kSource } from '../link/handle.js';
import type { ByteReader, ByteWriter } from './byte-streams.js';
import { FlushingObject } from './source-object.js';
import type { StreamSource } from './stream-source.js';

/** A stream of bytes, both ways. Those methods that need the I/O thread throw ERR_SIDEPORT_IO_THREAD_GONE once it has ended. */
export abstract class StreamObject extends FlushingObject<StreamSource> implements ByteReader, ByteWriter {
  /** @inheritdoc */
  read(into: Uint8Array): number | null {
    return this[kSource].read(into);
  }

  /** @inheritdoc */
  peek(into: Uint8Array): number | null {
    return this[kSource].peek(into);
  }

  /** @inheritdoc */
  readv(into: readonly Uint8Array[]): number | null {
    return this[kSource].readv(into);
  }

  /** @inheritdoc */
  take(): Lease | null {
    return this[kSource].take();
  }

  /** @inheritdoc */
  write(bytes: Uint8Array): number | null {
    return this[kSource].write(bytes);
  }

  /** @inheritdoc */
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
