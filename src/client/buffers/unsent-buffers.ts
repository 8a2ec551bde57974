/**
 * The send buffers that one source has filled and the kernel has not yet taken, oldest first, and whether there is room for more.
 *
 * ```
 *             filled to the high-water mark, or the pool has no buffer
 *   roomy ─────────────────────────────────────────────────────────────► full: not writable
 *     ▲                                                                    │
 *     └──── SENT, at the low-water mark or below, and the pool has one ────┘
 * ```
 *
 * The buffers are linked through the pool's arrays; SENT comes in their order.
 */
import { Submission } from '../../protocol/submissions.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { NO_BUFFER } from './send-pool.js';

export abstract class UnsentBuffers {
  protected readonly client: Client;
  readonly #name: SlotName;
  #first = NO_BUFFER;
  #last = NO_BUFFER;
  #bytes = 0;
  #full: boolean;

  /** `full`: not before the low-water mark. */
  constructor(client: Client, name: SlotName, full: boolean) {
    this.client = client;
    this.#name = name;
    this.#full = full;
  }

  get isEmpty(): boolean {
    return this.#first === NO_BUFFER;
  }

  /** Bytes that may be unsent. */
  get unsentBytes(): number {
    return this.#bytes;
  }

  /** Not writable, and will not be before the low-water mark. */
  get isFull(): boolean {
    return this.#full;
  }

  /** Whether a buffer's worth would be taken, at least in part. Once it would not, not before the low-water mark. */
  get hasRoom(): boolean {
    const { limits, sendPool } = this.client;
    if (this.#full) return false;
    if (this.unsentBytes < limits.sendHighWaterBytes && sendPool.available(!this.isEmpty)) return true;
    this.#full = true;
    return false;
  }

  /** A buffer comes back, and is the pool's again right after this. Out of order only when a stream was reset: nobody writes any more. */
  sent(name: number): void {
    if (name !== this.#first) return;
    const { sendPool } = this.client;
    this.#bytes -= sendPool.length(name);
    this.#first = sendPool.next(name);
    if (this.#first === NO_BUFFER) this.#last = NO_BUFFER;
  }

  /** Asked after a buffer came back to a source that was full: whether it has room again. */
  drained(): boolean {
    const { limits, sendPool } = this.client;
    if (this.unsentBytes > limits.sendLowWaterBytes || !sendPool.available(!this.isEmpty)) return false;
    this.#full = false;
    return true;
  }

  /** So many buffers must come back before {@link drained} can be true: at least one. Nothing is appended while there is no room. */
  buffersUntilRoom(): number {
    const { limits, sendPool } = this.client;
    let count = 0;
    let left = this.unsentBytes;
    for (let name = this.#first; name !== NO_BUFFER && left > limits.sendLowWaterBytes; name = sendPool.next(name)) {
      left -= sendPool.length(name);
      count++;
    }
    return Math.max(1, count);
  }

  /** The buffer that the next bytes are appended to if they can be; {@link NO_BUFFER} without one. */
  protected get last(): number {
    return this.#last;
  }

  /** There was not room enough after all. */
  protected refuse(): void {
    this.#full = true;
  }

  /** So many were appended to the last buffer. */
  protected appended(bytes: number): void {
    this.#bytes += bytes;
  }

  /** One more buffer was filled, with so many bytes: it is the I/O thread's from now on. */
  protected submit(name: number, bytes: number): void {
    this.client.submit(Submission.SEND, this.#name.slot, this.#name.generation, name);
    if (this.#last === NO_BUFFER) this.#first = name;
    else this.client.sendPool.link(this.#last, name);
    this.#last = name;
    this.#bytes += bytes;
  }
}
