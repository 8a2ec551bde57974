/**
 * One client's buffers for the datagrams of sockets that it shares: this thread fills them, as it decides only after a datagram has come who
 * gets it. Apart from that they are as any receive buffers, and have the same life.
 */
import type { SegmentMemory } from '../clients/segment-memory.js';
import type { Port } from '../loop/port.js';
import type { BufferWishes } from './buffer-wishes.js';
import type { GroupKeeper } from './receive-group.js';
import { type BufferHolder, ReceivePool, type ReceivePoolLimits } from './receive-pool.js';

interface Buffer {
  readonly segment: number;
  readonly index: number;
}

/** Groups from which this thread takes the buffers, not the kernel. */
class OwnGroups implements GroupKeeper {
  readonly #port: Port;
  readonly #buffers: Buffer[][] = [];

  constructor(port: Port) {
    this.#port = port;
  }

  newGroup(): number {
    return this.#buffers.push([]) - 1;
  }

  freeGroup(): void {}

  provide(group: number, segment: number, index: number): void {
    this.#buffers[group]?.push({ segment, index });
  }

  dropGroup(group: number): void {
    this.#buffers[group] = [];
  }

  discardSegment(segment: number): void {
    this.#port.discardSegment(segment);
  }

  /** The pool says that there is one. */
  take(group: number): Buffer {
    return this.#buffers[group]?.pop() as Buffer;
  }
}

export class DealtBuffers {
  readonly pool: ReceivePool;
  readonly #groups: OwnGroups;

  /** `segment`: the number of the one that the pool begins with. */
  constructor(port: Port, memory: SegmentMemory, segment: number, limits: ReceivePoolLimits, wishes: BufferWishes) {
    this.#groups = new OwnGroups(port);
    this.pool = new ReceivePool(this.#groups, memory, segment, limits, wishes);
  }

  /** Copies a datagram, header included, into a buffer of `holder`'s. Undefined without one: the holder is armed when one comes back. */
  put(holder: BufferHolder, datagram: Uint8Array): number | undefined {
    const offer = this.pool.allowance(holder) > 0 ? this.pool.offer(holder) : undefined;
    if (!offer) return undefined;
    const { segment, index } = this.#groups.take(offer.group);
    this.pool.write(segment, index, datagram);
    return this.pool.filled(segment, index, datagram.length, holder);
  }
}
