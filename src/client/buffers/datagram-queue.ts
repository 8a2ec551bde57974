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
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { NO_BUFFER } from './send-pool.js';
import { UnsentBuffers } from './unsent-buffers.js';

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

export class DatagramQueue extends UnsentBuffers {
  constructor(client: Client, name: SlotName) {
    super(client, name, false);
  }

  /** The longest datagram that there are buffers for. */
  maxLength(destination: Destination): number {
    const { sendPool } = this.client;
    return Math.max(0, this.#roomPerBuffer(destination)) * Math.min(PIECES_PER_SEND_TO, sendPool.bufferCount);
  }

  /** Takes the datagram, unless there is no room for it now. It is no longer than {@link maxLength}. */
  write(payload: Uint8Array, destination: Destination): boolean {
    if (this.isFull) return false;
    const whole = frameBytes(destination.name.length, payload.length);
    if (whole > this.client.sendPool.bufferSize) return this.#addMany(payload, destination);
    if (this.#append(payload, destination, whole)) return true;
    if (!this.hasRoom) return false;
    this.#add(payload, false, destination);
    return true;
  }

  #append(payload: Uint8Array, destination: Destination, bytes: number): boolean {
    const { last } = this;
    const { limits, sendPool } = this.client;
    if (last === NO_BUFFER || sendPool.length(last) + bytes > sendPool.bufferSize) return false;
    if (this.unsentBytes >= limits.sendHighWaterBytes) return false;
    encode(payload.length, false, destination);
    if (!sendPool.appendFrame(last, header, destination.name, payload, bytes)) return false;
    this.appended(bytes);
    return true;
  }

  #addMany(payload: Uint8Array, destination: Destination): boolean {
    const room = this.#roomPerBuffer(destination);
    if (!this.hasRoom) return false;
    if (this.client.sendPool.countAvailable(!this.isEmpty) < Math.ceil(payload.length / room)) {
      this.refuse();
      return false;
    }
    for (let at = 0; at < payload.length; at += room) {
      const part = payload.subarray(at, at + room);
      this.#add(part, at + part.length < payload.length, destination);
    }
    return true;
  }

  /** A frame ends at a multiple of 4, also the one that fills a buffer. */
  #roomPerBuffer({ name }: Destination): number {
    return (this.client.sendPool.bufferSize & ~3) - FRAME_BYTES - name.length;
  }

  /** One more buffer, which there is. */
  #add(payload: Uint8Array, continues: boolean, destination: Destination): void {
    const bytes = frameBytes(destination.name.length, payload.length);
    encode(payload.length, continues, destination);
    this.submit(this.client.sendPool.fillFrame(header, destination.name, payload, bytes), bytes);
  }
}

function encode(length: number, continues: boolean, { address, name }: Destination): void {
  headerView.setInt32(Frame.LENGTH, length, LITTLE_ENDIAN);
  headerView.setInt32(Frame.FLAGS, (continues ? CONTINUES : 0) | (name.length << 8), LITTLE_ENDIAN);
  header.set(address, Frame.ADDRESS);
}
