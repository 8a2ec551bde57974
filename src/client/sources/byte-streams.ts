/** The two directions of a stream of bytes, by whoever has them: a whole stream has both, a half of one that was split has one. */
import type { Lease } from '../buffers/lease.js';

/** What can be read from. */
export interface ByteReader {
  /**
   * Copies received bytes into `into`.
   *
   * @returns how many; 0 at the end of the stream (or for an empty `into`); null when there is nothing yet
   * @throws the error that ended the connection, once, after all data that came before it
   */
  read(into: Uint8Array): number | null;

  /** As {@link read}, and the bytes stay to be read. @returns as {@link read}, no more than what is there now */
  peek(into: Uint8Array): number | null;

  /** As {@link read}, into one buffer after another. An error that comes after some bytes is thrown by the next call. */
  readv(into: readonly Uint8Array[]): number | null;

  /**
   * Received bytes where they lie, without a copy: one buffer's worth. The reader owns them until `release`.
   *
   * @returns a lease; an empty one at the end of the stream; null when there is nothing yet
   * @throws as {@link read}
   */
  take(): Lease | null;
}

/** What can be written to. */
export interface ByteWriter {
  /**
   * Accepts bytes for sending; they are copied and sent in order, also when this is closed right after.
   *
   * @returns how many were accepted, perhaps fewer than given; null when there is no room (wait for *writable*) or
   * this is not yet connected
   * @throws the error of the connection, or of an earlier accepted write, once; EPIPE after that, and after the end was sent (`shutdown`)
   */
  write(bytes: Uint8Array): number | null;

  /** As {@link write}, one buffer after another. An error that comes after some bytes is thrown by the next call. */
  writev(from: readonly Uint8Array[]): number | null;
}
