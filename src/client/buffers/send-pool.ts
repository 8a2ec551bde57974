/**
 * This client's send buffers: free ones on a stack, the others with the I/O thread until SENT.
 *
 * Some are kept for streams that have none in flight: slow readers may take the rest, but never the last ones,
 * so a stream with nothing unsent can always write.
 *
 * A stream's buffers are linked through the pool's arrays, so that writing allocates nothing.
 */
import { appendToSendBuffer, beginSendBuffer } from '../../atomics/send-word.js';
import { bufferName, indexOf, type SegmentDescription } from '../../protocol/buffer-name.js';
import { type Geometry, sendWordsBase } from '../../protocol/client-memory.js';

/** One part in eight is reserved. */
const RESERVE_SHIFT = 3;
export const NO_BUFFER = -1;

export class SendPool {
  readonly bufferSize: number;
  readonly bufferCount: number;
  readonly #words: Int32Array;
  readonly #wordsBase: number;
  readonly #segment: number;
  readonly #bytes: Uint8Array;
  /** By buffer: the bytes in it, and the name of the one behind it in its stream; of a free one, of the next free one. */
  readonly #lengths: Int32Array;
  readonly #next: Int32Array;
  readonly #reserve: number;
  #firstFree = NO_BUFFER;
  #free = 0;

  constructor(words: Int32Array, geometry: Geometry, segments: readonly SegmentDescription[]) {
    this.#words = words;
    this.#wordsBase = sendWordsBase(geometry);
    this.#segment = segments.findIndex(({ use }) => use === 'send');
    const segment = segments[this.#segment];
    if (!segment) throw new RangeError('no segment of send buffers');
    const { memory, bufferSize, bufferCount } = segment;
    this.#bytes = new Uint8Array(memory);
    this.bufferSize = bufferSize;
    this.bufferCount = bufferCount;
    this.#lengths = new Int32Array(bufferCount);
    this.#next = new Int32Array(bufferCount);
    for (let index = bufferCount - 1; index >= 0; index--) this.release(bufferName(this.#segment, index));
    this.#reserve = Math.max(1, bufferCount >> RESERVE_SHIFT);
  }

  /** Whether a stream may take a buffer now; `holding` says whether it has others in flight. */
  available(holding: boolean): boolean {
    return this.#free > (holding ? this.#reserve : 0);
  }

  /** Takes a buffer and fills it; the caller knows that one is available. Returns its name. */
  fill(bytes: Uint8Array): number {
    const name = this.#firstFree;
    const index = indexOf(name);
    this.#firstFree = this.#next[index] as number;
    this.#free--;
    this.#bytes.set(bytes, index * this.bufferSize);
    this.#lengths[index] = bytes.length;
    this.#next[index] = NO_BUFFER;
    beginSendBuffer(this.#words, this.#wordsBase + index, bytes.length);
    return name;
  }

  /** Appends to a buffer, where they fit. False if it is being sent already. */
  append(name: number, bytes: Uint8Array): boolean {
    const index = indexOf(name);
    const length = this.#lengths[index] as number;
    // Behind what may be sent meanwhile: nobody reads there before the length says so.
    this.#bytes.set(bytes, index * this.bufferSize + length);
    if (!appendToSendBuffer(this.#words, this.#wordsBase + index, length, length + bytes.length)) return false;
    this.#lengths[index] = length + bytes.length;
    return true;
  }

  /** Buffers that may be taken now, see {@link available}. */
  countAvailable(holding: boolean): number {
    return this.#free - (holding ? this.#reserve : 0);
  }

  /** As {@link fill}, with a datagram's frame of `bytes` bytes (protocol/datagram.ts). */
  fillFrame(header: Uint8Array, name: Uint8Array, payload: Uint8Array, bytes: number): number {
    const buffer = this.fill(header);
    const index = indexOf(buffer);
    this.#putFrame(index * this.bufferSize, header, name, payload);
    this.#lengths[index] = bytes;
    beginSendBuffer(this.#words, this.#wordsBase + index, bytes);
    return buffer;
  }

  /** As {@link append}. */
  appendFrame(buffer: number, header: Uint8Array, name: Uint8Array, payload: Uint8Array, bytes: number): boolean {
    const index = indexOf(buffer);
    const length = this.#lengths[index] as number;
    this.#putFrame(index * this.bufferSize + length, header, name, payload);
    if (!appendToSendBuffer(this.#words, this.#wordsBase + index, length, length + bytes)) return false;
    this.#lengths[index] = length + bytes;
    return true;
  }

  #putFrame(at: number, header: Uint8Array, name: Uint8Array, payload: Uint8Array): void {
    this.#bytes.set(header, at);
    if (name.length > 0) this.#bytes.set(name, at + header.length);
    this.#bytes.set(payload, at + header.length + name.length);
  }

  /** The bytes in a buffer that is not free. */
  length(name: number): number {
    return this.#lengths[indexOf(name)] as number;
  }

  /** The buffer behind it in its stream. */
  next(name: number): number {
    return this.#next[indexOf(name)] as number;
  }

  link(name: number, next: number): void {
    this.#next[indexOf(name)] = next;
  }

  /** The I/O thread gave it back; its stream has it in its list no more, or has ended. */
  release(name: number): void {
    this.#next[indexOf(name)] = this.#firstFree;
    this.#firstFree = name;
    this.#free++;
  }
}
