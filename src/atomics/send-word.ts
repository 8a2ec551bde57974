/**
 * The word of a send buffer: how many of its bytes are written, and whether more may follow. A client appends small
 * writes to the stream's last buffer as long as the I/O thread has not begun to send it, so a thousand small writes behind a slow
 * peer take one buffer and one piece of a vectored send.
 *
 * ```
 *          client: append, compare-and-swap n -> m
 *              ┌────────┐
 *   begin(n) ──► open, n bytes ──── I/O thread: close, OR CLOSED ────► closed: the length is final
 * ```
 *
 * Ordering. The client writes the bytes (plain stores) and then swaps the length; the I/O thread reads the length with an
 * atomic OR that closes the word in the same step. An OR that reads m synchronises with the swap that wrote it, so the m bytes
 * are visible. A swap that comes after the OR finds CLOSED, fails, and the client puts the bytes into another
 * buffer. Without the bit in the same word, bytes could be appended behind a length already read: lost.
 * `test/model/send-word.pml`.
 */
const CLOSED = 1 << 30;
const LENGTH_MASK = CLOSED - 1;

/** Client, before the SEND is published: nobody else knows the buffer. */
export function beginSendBuffer(words: Int32Array, at: number, length: number): void {
  Atomics.store(words, at, length);
}

/** Client: true when bytes `from` to `to`, already written, are part of the buffer; false when it was closed before. */
export function appendToSendBuffer(words: Int32Array, at: number, from: number, to: number): boolean {
  return Atomics.compareExchange(words, at, from, to) === from;
}

/** I/O thread: closes the buffer and returns its length, which the caller must check. */
export function closeSendBuffer(words: Int32Array, at: number): number {
  return Atomics.or(words, at, CLOSED) & LENGTH_MASK;
}
