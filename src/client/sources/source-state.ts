/**
 * Bits of what is known of a source, in one word (`Registrable.state`): a program may have ten thousand sources, and each field of
 * each costs it 80 KiB.
 */
export const SourceState = {
  /** `close` was called. */
  CLOSED: 1,
  /** A flushing close does not keep the thread alive. */
  UNREFERENCED: 2,
  /** Of a stream: established; the peer has ended; nothing more can be written. */
  CONNECTED: 4,
  READ_ENDED: 8,
  WRITE_CLOSED: 16,
  /** Of a stream: it was connected before it was ours. */
  ADOPTED: 32,
  /** Of a stream: it was told of an error of the connection. */
  FAILED: 256,
  /** From this bit on two bits: the interest as last told to the I/O thread. */
  INTEREST_SHIFT: 6,
} as const;
