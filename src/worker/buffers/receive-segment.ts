/**
 * A segment of receive buffers as the I/O thread accounts for it: who holds each buffer.
 *
 * A segment by which the pool has grown has a group of its own, so it can be taken out of service as a whole:
 *
 * ```
 *   in service ──all its buffers unused for a while──► dormant: no group has them, the pages are the system's
 *       ▲                                                 │
 *       └──────────────── the pool grows again ◄──────────┘
 * ```
 */
import { MESSAGE_GOES_ON } from '../../protocol/events.js';
import type { PortSegment } from '../clients/segment-memory.js';
import type { ReceiveGroup } from './receive-group.js';
import type { BufferHolder } from './receive-pool.js';

/** What was received, taken out of its buffer. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** The message in it goes on in the next one. */
  readonly goesOn: boolean;
}

/** A buffer that some reader has. */
export interface HeldBuffer {
  readonly index: number;
  /** Of those of one stream the smallest was filled first. */
  readonly order: number;
}

export class ReceiveSegment {
  readonly segment: PortSegment;
  /** That of one by which the pool has grown, see above. */
  readonly ownGroup: ReceiveGroup | undefined;
  /** By buffer: whose data is in it, while its reader has it. */
  readonly #holders: (BufferHolder | undefined)[];
  /** By buffer: the group that has it, or had it when it was filled. */
  readonly #groups: (ReceiveGroup | undefined)[];
  /** By buffer: how much is in it, as its DATA event has it, and which filling that was. */
  readonly #lengths: Int32Array;
  readonly #orders: Float64Array;
  #held = 0;

  constructor(segment: PortSegment, ownGroup?: ReceiveGroup) {
    this.segment = segment;
    this.ownGroup = ownGroup;
    this.#holders = new Array<undefined>(segment.bufferCount);
    this.#groups = new Array<undefined>(segment.bufferCount);
    this.#lengths = new Int32Array(segment.bufferCount);
    this.#orders = new Float64Array(segment.bufferCount);
  }

  get held(): number {
    return this.#held;
  }

  provide(index: number, group: ReceiveGroup): void {
    this.#groups[index] = group;
    group.provide(this.segment.portSegment, index);
  }

  provideAll(group: ReceiveGroup): void {
    for (let index = 0; index < this.segment.bufferCount; index++) this.provide(index, group);
  }

  /** A receive has filled the buffer. */
  filled(index: number, length: number, order: number, holder: BufferHolder): void {
    this.#groups[index]?.taken();
    this.#holders[index] = holder;
    this.#lengths[index] = length;
    this.#orders[index] = order;
    this.#held++;
  }

  /** Those that the stream's reader has. */
  heldBy(holder: BufferHolder): HeldBuffer[] {
    const held: HeldBuffer[] = [];
    for (let index = this.#holders.indexOf(holder); index >= 0; index = this.#holders.indexOf(holder, index + 1)) {
      held.push({ index, order: this.#orders[index] as number });
    }
    return held;
  }

  /** A private copy of what is in a buffer. */
  copy(index: number): Chunk {
    const goesOn = ((this.#lengths[index] as number) & MESSAGE_GOES_ON) !== 0;
    return { bytes: this.bytes(index).slice(), goesOn };
  }

  /** What is in a buffer, where it lies. */
  bytes(index: number): Uint8Array<SharedArrayBuffer> {
    const length = (this.#lengths[index] as number) & ~MESSAGE_GOES_ON;
    return new Uint8Array(this.segment.memory, index * this.segment.bufferSize, length);
  }

  /** Fills a buffer that this thread has taken out of its group. */
  write(index: number, bytes: Uint8Array): void {
    new Uint8Array(this.segment.memory).set(bytes, index * this.segment.bufferSize);
  }

  /** The buffer comes back from its reader; undefined if nobody holds it. */
  recycled(index: number): BufferHolder | undefined {
    const holder = this.#holders[index];
    if (!holder) return undefined;
    this.#holders[index] = undefined;
    this.#held--;
    return holder;
  }
}
