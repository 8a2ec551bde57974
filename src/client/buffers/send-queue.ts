/**
 * What one stream has written and the kernel has not yet taken. What earlier owners of the stream wrote and the kernel has not taken
 * counts as well; the I/O thread says how much that is.
 *
 * A write goes behind the last one in the same buffer while that buffer is not being sent (atomics/send-word.ts).
 */
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { NO_BUFFER } from './send-pool.js';
import { UnsentBuffers } from './unsent-buffers.js';

export class SendQueue extends UnsentBuffers {
  #carried: number;

  /** `carried`: bytes that earlier owners wrote. `full`: not before the low-water mark. */
  constructor(client: Client, name: SlotName, carried = 0, full = false) {
    super(client, name, full);
    this.#carried = carried;
  }

  override get unsentBytes(): number {
    return this.#carried + super.unsentBytes;
  }

  /** What earlier owners wrote is unsent to this extent. */
  set carried(bytes: number) {
    this.#carried = bytes;
  }

  /** Of what earlier owners wrote the I/O thread tells in other ways than by a buffer. */
  override buffersUntilRoom(): number {
    return this.#carried > 0 ? 0 : super.buffersUntilRoom();
  }

  /** Takes as much as there is room for; returns how many bytes that were. */
  write(bytes: Uint8Array): number {
    const { limits, sendPool } = this.client;
    let count = this.#append(bytes);
    while (count < bytes.length && this.hasRoom) {
      const length = Math.min(limits.sendHighWaterBytes - this.unsentBytes, sendPool.bufferSize, bytes.length - count);
      this.submit(sendPool.fill(length === bytes.length ? bytes : bytes.subarray(count, count + length)), length);
      count += length;
    }
    return count;
  }

  /** Takes a message that fits a buffer, whole and apart from others, or nothing when there is no room; returns its bytes. */
  writeMessage(bytes: Uint8Array): number {
    if (!this.hasRoom) return 0;
    this.submit(this.client.sendPool.fill(bytes), bytes.length);
    return bytes.length;
  }

  #append(bytes: Uint8Array): number {
    const { last } = this;
    if (last === NO_BUFFER || this.isFull) return 0;
    const { limits, sendPool } = this.client;
    const room = Math.min(limits.sendHighWaterBytes - this.unsentBytes, sendPool.bufferSize - sendPool.length(last));
    const most = Math.min(room, bytes.length);
    if (most <= 0) return 0;
    if (!sendPool.append(last, most === bytes.length ? bytes : bytes.subarray(0, most))) return 0;
    this.appended(most);
    return most;
  }
}
