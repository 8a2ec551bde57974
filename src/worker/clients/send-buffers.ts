/**
 * One client's send buffers, as far as the I/O thread has them: which they are, and which follows which in its stream. The
 * order is kept in an array by buffer, so that sending allocates nothing.
 */
import { closeSendBuffer } from '../../atomics/send-word.js';
import { indexOf, segmentOf } from '../../protocol/buffer-name.js';
import { sendWordsBase } from '../../protocol/client-memory.js';
import type { ClientMemory } from './client-memory.js';

export const NO_BUFFER = -1;

export class SendBuffers {
  readonly portSegment: number;
  /** All buffers, for whoever sends what is framed in them. The client may write to it at any time. */
  readonly view: DataView;
  readonly #segment: number;
  readonly #bufferSize: number;
  readonly #words: Int32Array;
  readonly #wordsBase: number;
  /** By buffer: whether this thread has it. */
  readonly #taken: Uint8Array;
  /** By buffer: the name of the one behind it in its stream. */
  readonly #next: Int32Array;

  constructor({ segments, words, geometry }: ClientMemory) {
    const segment = segments.find(({ use }) => use === 'send');
    if (!segment) throw new RangeError('no segment of send buffers');
    this.portSegment = segment.portSegment;
    this.view = new DataView(segment.memory);
    this.#segment = segment.number;
    this.#bufferSize = segment.bufferSize;
    this.#words = words;
    this.#wordsBase = sendWordsBase(geometry);
    this.#taken = new Uint8Array(segment.bufferCount);
    this.#next = new Int32Array(segment.bufferCount);
  }

  /** A buffer arrives. False if the client names one that it does not have. */
  take(name: number): boolean {
    const index = indexOf(name);
    if (segmentOf(name) !== this.#segment || this.#taken[index] !== 0) return false;
    this.#taken[index] = 1;
    this.#next[index] = NO_BUFFER;
    return true;
  }

  /** The buffer goes back to the client. */
  giveBack(name: number): void {
    this.#taken[indexOf(name)] = 0;
  }

  /** The buffer is about to be sent: nothing is appended to it any more. Its length, or undefined if that is not one. */
  close(name: number): number | undefined {
    const length = closeSendBuffer(this.#words, this.#wordsBase + indexOf(name));
    return length >= 1 && length <= this.#bufferSize ? length : undefined;
  }

  /** Where it lies in the port's segment. */
  offset(name: number): number {
    return indexOf(name) * this.#bufferSize;
  }

  next(name: number): number {
    return this.#next[indexOf(name)] as number;
  }

  link(name: number, next: number): void {
    this.#next[indexOf(name)] = next;
  }
}
