/**
 * This client's send buffers: free ones on a stack, the others with the I/O thread until SENT.
 *
 * Some are kept for streams that have none in flight: slow readers may take the rest, but never the last ones,
 * so a stream with nothing unsent can always write.
 */
import { appendToSendBuffer, beginSendBuffer } from '../../atomics/send-word.js';
import { bufferName, indexOf, type SegmentDescription, segmentOf } from '../../protocol/buffer-name.js';
import { type Geometry, sendWordsBase } from '../../protocol/client-memory.js';

/** One part in eight is reserved. */
const RESERVE_SHIFT = 3;

export class SendPool {
  readonly bufferSize: number;
  readonly #words: Int32Array;
  readonly #wordsBase: number;
  readonly #segments: (Uint8Array | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #reserve: number;

  constructor(words: Int32Array, geometry: Geometry, segments: readonly SegmentDescription[]) {
    this.#words = words;
    this.#wordsBase = sendWordsBase(geometry);
    let [size, total] = [0, 0];
    segments.forEach(({ use, memory, bufferSize, bufferCount }, segment) => {
      if (use !== 'send') return;
      this.#segments[segment] = new Uint8Array(memory);
      for (let index = bufferCount - 1; index >= 0; index--) this.#free.push(bufferName(segment, index));
      size = bufferSize;
      total += bufferCount;
    });
    this.bufferSize = size;
    this.#reserve = Math.max(1, total >> RESERVE_SHIFT);
  }

  /** Whether a stream may take a buffer now; `holding` says whether it has others in flight. */
  available(holding: boolean): boolean {
    return this.#free.length > (holding ? this.#reserve : 0);
  }

  /** Takes a buffer and fills it; the caller knows that one is available. Returns its name. */
  fill(bytes: Uint8Array): number {
    const name = this.#free.pop() as number;
    this.#segment(name).set(bytes, indexOf(name) * this.bufferSize);
    beginSendBuffer(this.#words, this.#wordsBase + indexOf(name), bytes.length);
    return name;
  }

  /** Appends to a buffer that holds `length` bytes; they fit. False if it is being sent already. */
  append(name: number, length: number, bytes: Uint8Array): boolean {
    // Behind what may be sent meanwhile: nobody reads there before the length says so.
    this.#segment(name).set(bytes, indexOf(name) * this.bufferSize + length);
    return appendToSendBuffer(this.#words, this.#wordsBase + indexOf(name), length, length + bytes.length);
  }

  /** The I/O thread gave it back. */
  release(name: number): void {
    this.#free.push(name);
  }

  #segment(name: number): Uint8Array {
    return this.#segments[segmentOf(name)] as Uint8Array;
  }
}
