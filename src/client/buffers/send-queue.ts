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
 * A write goes behind the last one in the same buffer while that buffer is not being sent (atomics/send-word.ts).
 */
import { Submission } from '../../protocol/submissions.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../sources/source.js';

export class SendQueue {
  readonly #client: Client;
  readonly #name: SlotName;
  /** Bytes in each buffer, oldest first; SENT comes in the same order. */
  readonly #lengths: number[] = [];
  /** The buffer of the last length, to which the next write is appended if it still can be. */
  #last = -1;
  #bytes = 0;
  #full = false;

  constructor(name: SlotName) {
    this.#client = name.client;
    this.#name = name;
  }

  /** Whether a write would be taken, at least in part. Once it would not, not before the low-water mark. */
  get hasRoom(): boolean {
    const { limits, sendPool } = this.#client;
    if (this.#full) return false;
    if (this.#bytes < limits.sendHighWaterBytes && sendPool.available(this.#lengths.length > 0)) return true;
    this.#full = true;
    return false;
  }

  /** Takes as much as there is room for; returns how many bytes that were. */
  write(bytes: Uint8Array): number {
    const { limits, sendPool } = this.#client;
    let count = this.#append(bytes);
    while (count < bytes.length && this.hasRoom) {
      const length = Math.min(limits.sendHighWaterBytes - this.#bytes, sendPool.bufferSize, bytes.length - count);
      const name = sendPool.fill(length === bytes.length ? bytes : bytes.subarray(count, count + length));
      this.#client.submit(Submission.SEND, this.#name.slot, this.#name.generation, name);
      this.#lengths.push(length);
      this.#last = name;
      this.#bytes += length;
      count += length;
    }
    return count;
  }

  /** The oldest buffer came back. */
  sent(): void {
    this.#bytes -= this.#lengths.shift() ?? 0;
  }

  /** Asked after a buffer came back to a stream that was full: whether it has room again. */
  drained(): boolean {
    const { limits, sendPool } = this.#client;
    if (this.#bytes > limits.sendLowWaterBytes || !sendPool.available(this.#lengths.length > 0)) return false;
    this.#full = false;
    return true;
  }

  #append(bytes: Uint8Array): number {
    const at = this.#lengths.length - 1;
    const length = this.#lengths[at];
    const { limits, sendPool } = this.#client;
    const most = Math.min(limits.sendHighWaterBytes - this.#bytes, sendPool.bufferSize - (length ?? 0), bytes.length);
    if (length === undefined || this.#full || most <= 0) return 0;
    const part = most === bytes.length ? bytes : bytes.subarray(0, most);
    if (!sendPool.append(this.#last, length, part)) return 0;
    this.#lengths[at] = length + most;
    this.#bytes += most;
    return most;
  }
}
