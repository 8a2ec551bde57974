/**
 * What one datagram socket has sent and the kernel has not yet taken: frames (protocol/datagram.ts) in send buffers. A frame goes behind the
 * last one in the same buffer while that buffer is not being sent (atomics/send-word.ts); a datagram that is too long for one buffer
 * takes several whole ones.
 *
 * A datagram is taken whole or not at all.
 */
import { CONTINUES, FRAME_BYTES, Frame, frameBytes } from '../../protocol/datagram.js';
import { LITTLE_ENDIAN } from '../../protocol/endian.js';
import { PIECES_PER_SEND_TO } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { NO_BUFFER } from './send-pool.js';

/** Where a datagram goes: a wire address and, of a Unix socket, its name. */
export interface Destination {
  readonly address: Uint8Array;
  readonly name: Uint8Array;
}

const EMPTY = new Uint8Array(0);

/** The peer of a connected socket. */
export const TO_PEER: Destination = { address: new Uint8Array(24), name: EMPTY };

const header = new Uint8Array(FRAME_BYTES);
const headerView = new DataView(header.buffer);

export class DatagramQueue {
  readonly #client: Client;
  readonly #name: SlotName;
  #first = NO_BUFFER;
  #last = NO_BUFFER;
  #bytes = 0;
  #full = false;

  constructor(client: Client, name: SlotName) {
    this.#client = client;
    this.#name = name;
  }

  get isEmpty(): boolean {
    return this.#first === NO_BUFFER;
  }

  /** The longest datagram that there are buffers for. */
  maxLength(destination: Destination): number {
    const { sendPool } = this.#client;
    return Math.max(0, this.#roomPerBuffer(destination)) * Math.min(PIECES_PER_SEND_TO, sendPool.bufferCount);
  }

  /** Whether a datagram would be taken, of one buffer at least. Once it would not, not before the low-water mark. */
  get hasRoom(): boolean {
    const { limits, sendPool } = this.#client;
    if (this.#full) return false;
    if (this.#bytes < limits.sendHighWaterBytes && sendPool.available(!this.isEmpty)) return true;
    this.#full = true;
    return false;
  }

  /** Takes the datagram, unless there is no room for it now. It is no longer than {@link maxLength}. */
  write(payload: Uint8Array, destination: Destination): boolean {
    const { sendPool } = this.#client;
    if (this.#full) return false;
    const whole = frameBytes(destination.name.length, payload.length);
    if (whole <= sendPool.bufferSize)
      return this.#append(payload, destination, whole) || this.#add(payload, destination);
    return this.#addMany(payload, destination);
  }

  /** A buffer comes back, and is the pool's again right after this. */
  sent(name: number): void {
    if (name !== this.#first) return;
    const { sendPool } = this.#client;
    this.#bytes -= sendPool.length(name);
    this.#first = sendPool.next(name);
    if (this.#first === NO_BUFFER) this.#last = NO_BUFFER;
  }

  /** Asked after a buffer came back to a socket that was full: whether it has room again. */
  drained(): boolean {
    const { limits, sendPool } = this.#client;
    if (this.#bytes > limits.sendLowWaterBytes || !sendPool.available(!this.isEmpty)) return false;
    this.#full = false;
    return true;
  }

  #append(payload: Uint8Array, destination: Destination, bytes: number): boolean {
    const { limits, sendPool } = this.#client;
    if (this.#last === NO_BUFFER || sendPool.length(this.#last) + bytes > sendPool.bufferSize) return false;
    if (this.#bytes >= limits.sendHighWaterBytes) return false;
    encode(payload.length, false, destination);
    if (!sendPool.appendFrame(this.#last, header, destination.name, payload, bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  #add(payload: Uint8Array, destination: Destination): boolean {
    if (!this.hasRoom) return false;
    this.#submit(payload, false, destination);
    return true;
  }

  #addMany(payload: Uint8Array, destination: Destination): boolean {
    const { sendPool } = this.#client;
    const room = this.#roomPerBuffer(destination);
    if (!this.hasRoom) return false;
    if (sendPool.countAvailable(!this.isEmpty) < Math.ceil(payload.length / room)) {
      this.#full = true;
      return false;
    }
    for (let at = 0; at < payload.length; at += room) {
      const part = payload.subarray(at, at + room);
      this.#submit(part, at + part.length < payload.length, destination);
    }
    return true;
  }

  /** A frame ends at a multiple of 4, also the one that fills a buffer. */
  #roomPerBuffer({ name }: Destination): number {
    return (this.#client.sendPool.bufferSize & ~3) - FRAME_BYTES - name.length;
  }

  /** One more buffer, which there is. */
  #submit(payload: Uint8Array, continues: boolean, destination: Destination): void {
    const { sendPool } = this.#client;
    const bytes = frameBytes(destination.name.length, payload.length);
    encode(payload.length, continues, destination);
    const name = sendPool.fillFrame(header, destination.name, payload, bytes);
    this.#client.submit(Submission.SEND, this.#name.slot, this.#name.generation, name);
    if (this.#last === NO_BUFFER) this.#first = name;
    else sendPool.link(this.#last, name);
    this.#last = name;
    this.#bytes += bytes;
  }
}

function encode(length: number, continues: boolean, { address, name }: Destination): void {
  headerView.setInt32(Frame.LENGTH, length, LITTLE_ENDIAN);
  headerView.setInt32(Frame.FLAGS, (continues ? CONTINUES : 0) | (name.length << 8), LITTLE_ENDIAN);
  header.set(address, Frame.ADDRESS);
}
