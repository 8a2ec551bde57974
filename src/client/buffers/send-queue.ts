/**
 * What one stream has written and the kernel has not yet taken.
 *
 * ```
 *             write fills it to the high-water mark, or the pool has no buffer
 *   roomy ─────────────────────────────────────────────────────────────────────► full: not writable
 *     ▲                                                                            │
 *     └──────── SENT, at the low-water mark or below, and the pool has a buffer ───┘
 * ```
 *
 * What earlier owners of the stream wrote and the kernel has not taken counts as well; the I/O thread says how much that is.
 *
 * A write goes behind the last one in the same buffer while that buffer is not being sent (atomics/send-word.ts).
 */
import { Submission } from '../../protocol/submissions.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { NO_BUFFER } from './send-pool.js';

export class SendQueue {
  readonly #client: Client;
  readonly #name: SlotName;
  /** Ends of the list of buffers, oldest first; SENT comes in the same order. The next write is appended to the last if it can be. */
  #first = NO_BUFFER;
  #last = NO_BUFFER;
  #bytes = 0;
  #full: boolean;
  #carried: number;

  /** `carried`: bytes that earlier owners wrote. `full`: not before the low-water mark. */
  constructor(client: Client, name: SlotName, carried = 0, full = false) {
    this.#client = client;
    this.#name = name;
    this.#carried = carried;
    this.#full = full;
  }

  /** Bytes that may be unsent. */
  get unsentBytes(): number {
    return this.#carried + this.#bytes;
  }

  /** Not writable, and will not be before the low-water mark. */
  get isFull(): boolean {
    return this.#full;
  }

  /** What earlier owners wrote is unsent to this extent. */
  set carried(bytes: number) {
    this.#carried = bytes;
  }

  /** Whether a write would be taken, at least in part. Once it would not, not before the low-water mark. */
  get hasRoom(): boolean {
    const { limits, sendPool } = this.#client;
    if (this.#full) return false;
    if (this.unsentBytes < limits.sendHighWaterBytes && sendPool.available(this.#first !== NO_BUFFER)) return true;
    this.#full = true;
    return false;
  }

  /** Takes as much as there is room for; returns how many bytes that were. */
  write(bytes: Uint8Array): number {
    const { limits, sendPool } = this.#client;
    let count = this.#append(bytes);
    while (count < bytes.length && this.hasRoom) {
      const length = Math.min(limits.sendHighWaterBytes - this.unsentBytes, sendPool.bufferSize, bytes.length - count);
      this.#put(length === bytes.length ? bytes : bytes.subarray(count, count + length));
      count += length;
    }
    return count;
  }

  /** Takes a message that fits a buffer, whole and apart from others, or nothing when there is no room; returns its bytes. */
  writeMessage(bytes: Uint8Array): number {
    if (!this.hasRoom) return 0;
    this.#put(bytes);
    return bytes.length;
  }

  #put(bytes: Uint8Array): void {
    const { sendPool } = this.#client;
    const name = sendPool.fill(bytes);
    this.#client.submit(Submission.SEND, this.#name.slot, this.#name.generation, name);
    if (this.#last === NO_BUFFER) this.#first = name;
    else sendPool.link(this.#last, name);
    this.#last = name;
    this.#bytes += bytes.length;
  }

  /** A buffer comes back, and is the pool's again right after this. Out of order only when the stream was reset: nobody writes any more. */
  sent(name: number): void {
    if (name !== this.#first) return;
    const { sendPool } = this.#client;
    this.#bytes -= sendPool.length(name);
    this.#first = sendPool.next(name);
    if (this.#first === NO_BUFFER) this.#last = NO_BUFFER;
  }

  /** Asked after a buffer came back to a stream that was full: whether it has room again. */
  drained(): boolean {
    const { limits, sendPool } = this.#client;
    if (this.unsentBytes > limits.sendLowWaterBytes || !sendPool.available(this.#first !== NO_BUFFER)) return false;
    this.#full = false;
    return true;
  }

  #append(bytes: Uint8Array): number {
    if (this.#last === NO_BUFFER || this.#full) return 0;
    const { limits, sendPool } = this.#client;
    const room = Math.min(
      limits.sendHighWaterBytes - this.unsentBytes,
      sendPool.bufferSize - sendPool.length(this.#last),
    );
    const most = Math.min(room, bytes.length);
    if (most <= 0) return 0;
    if (!sendPool.append(this.#last, most === bytes.length ? bytes : bytes.subarray(0, most))) return 0;
    this.#bytes += most;
    return most;
  }
}
