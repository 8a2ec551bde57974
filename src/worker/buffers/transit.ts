/**
 * A few receive buffers in memory that no client has. The datagrams of one shared socket arrive in them, before it is decided who gets each: receiving
 * into a client's, as a socket with one owner does, would leave the choice to the kernel, and the datagrams to a thread that may end. So does what nobody
 * will read (discards.ts).
 */
import { Header } from '../../protocol/client-memory.js';
import { SegmentMemory } from '../clients/segment-memory.js';
import type { Port } from '../loop/port.js';
import { BufferWishes } from './buffer-wishes.js';
import { ReceivePool } from './receive-pool.js';

const BUFFERS = 256;

export class Transit {
  readonly pool: ReceivePool;
  readonly #memory: SegmentMemory;

  /** Undefined when there is no memory for it. */
  static of(port: Port, bufferSize: number, atMost: number): Transit | undefined {
    const memory = new SegmentMemory(port.native);
    const count = Math.min(BUFFERS, atMost);
    const segment = memory.growReceive(bufferSize, count);
    return segment && new Transit(port, memory, count);
  }

  private constructor(port: Port, memory: SegmentMemory, count: number) {
    this.#memory = memory;
    // Nobody reads what is wished: buffers come back on this thread.
    const wishes = new BufferWishes(new Int32Array(Header.WORDS), () => {});
    this.pool = new ReceivePool(port, memory, 0, { quota: count, maxBuffers: count, copiesOut: false }, wishes);
  }

  /** Nothing receives into it any more, and the port has taken every record that may name a buffer. */
  release(): void {
    this.pool.release();
    this.#memory.release();
  }
}
