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
import type { ClientSegment } from '../clients/client-memory.js';
import type { ReceiveGroup } from './receive-group.js';
import type { BufferHolder } from './receive-pool.js';

export class ReceiveSegment {
  readonly segment: ClientSegment;
  /** By buffer: whose data is in it, while its reader has it. */
  readonly #holders: (BufferHolder | undefined)[];
  /** By buffer: the group that has it, or had it when it was filled. */
  readonly #groups: (ReceiveGroup | undefined)[];
  #held = 0;

  constructor(segment: ClientSegment) {
    this.segment = segment;
    this.#holders = new Array<undefined>(segment.bufferCount);
    this.#groups = new Array<undefined>(segment.bufferCount);
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
  filled(index: number, holder: BufferHolder): void {
    this.#groups[index]?.taken();
    this.#holders[index] = holder;
    this.#held++;
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
