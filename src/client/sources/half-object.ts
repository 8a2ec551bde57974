/** What users can do with the halves of a stream that was split, of any kind. */
import type { SystemError } from '../../errors.js';
import type { DetachedStream, HalfKind } from '../../protocol/transfer.js';
import type { Lease } from '../buffers/lease.js';
import { kSource } from '../link/handle.js';
import type { ByteReader, ByteWriter } from './byte-streams.js';
import type { HalfSource } from './half-source.js';
import { FlushingObject } from './source-object.js';
import { clientToServe } from './stream-transfer.js';

/** One direction of a stream; another thread may have the other one. */
export abstract class HalfObject<Kind extends HalfKind> extends FlushingObject<HalfSource> {
  /** The error that the connection met, and forgets it; null without one. Either half is told. */
  takeError(): SystemError | null {
    return this[kSource].takeError();
  }

  /** Closes with a reset, for both halves: the other one meets ECONNABORTED, once. What was accepted and not sent is dropped. Idempotent. */
  abort(): void {
    this[kSource].abort();
  }

  /**
   * Lets go of this half for another thread to attach, as a whole stream does (`MovableStream.detach`).
   *
   * @throws ERR_SIDEPORT_LEASE_HELD while a lease of it is not released, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE
   */
  detach(): DetachedStream<Kind> {
    const source = this[kSource];
    return source.detach(clientToServe(source, undefined)) as DetachedStream<Kind>;
  }
}

/**
 * The reading half. `close` drops what is unread, and what still comes: the I/O thread receives it all the same, so that the writing half goes on undisturbed. The connection
 * closes when both halves have, and then the peer has ended as well or `lingerMs` is over.
 */
export abstract class ReaderObject<Kind extends HalfKind> extends HalfObject<Kind> implements ByteReader {
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
}

/** The writing half. `close` sends the accepted writes, for `lingerMs` at most, and then the end of the stream; the reading half goes on. */
export abstract class WriterObject<Kind extends HalfKind> extends HalfObject<Kind> implements ByteWriter {
  /** @inheritdoc */
  write(bytes: Uint8Array): number | null {
    return this[kSource].write(bytes);
  }

  /** @inheritdoc */
  writev(from: readonly Uint8Array[]): number | null {
    return this[kSource].writev(from);
  }

  /** Sends the end of the stream behind the accepted writes, and stays open: for an error that they may meet. */
  shutdown(): void {
    this[kSource].shutdown('write');
  }
}
