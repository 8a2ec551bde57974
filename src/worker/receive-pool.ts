/**
 * One client's receive buffers, as the I/O thread accounts for them.
 *
 * ```
 *   in the port's group ──receive completes──► held by the reader of a stream
 *          ▲                                          │
 *          └───────────── RECYCLE ────────────────────┘
 * ```
 *
 * A stream that finds the pool empty waits in `#starved`, in order, and is armed again as buffers come back. While
 * any stream waits for buffers the client is asked (BUFFERS_WANTED) to wake the I/O thread when it recycles.
 */

import { wishForBuffers } from '../atomics/flag.js';
import { bufferName, indexOf, segmentOf } from '../protocol/buffer-name.js';
import type { Port } from './port.js';

/** A stream that holds, or waits for, receive buffers. */
export interface BufferHolder {
  /** Buffers with this stream's data that its reader has not given back. */
  heldBuffers: number;
  /** It is in the pool's queue. */
  starved: boolean;
  /** A buffer came back: receive if that is wanted. */
  arm(): void;
}

interface ReceiveSegment {
  readonly portSegment: number;
  readonly holders: (BufferHolder | undefined)[];
}

export class ReceivePool {
  readonly #port: Port;
  readonly #words: Int32Array;
  readonly #group: number;
  /** By the client's segment number; send segments leave holes. */
  readonly #segments: (ReceiveSegment | undefined)[] = [];
  readonly #clientSegments = new Map<number, number>();
  #free = 0;
  #held = 0;
  readonly #starved: BufferHolder[] = [];
  #pausedStreams = 0;
  #wished = false;

  /** `group` names the pool in the port; the client's id serves. */
  constructor(port: Port, words: Int32Array, group: number) {
    this.#port = port;
    this.#words = words;
    this.#group = group;
  }

  get group(): number {
    return this.#group;
  }

  get held(): number {
    return this.#held;
  }

  get starvedStreams(): number {
    return this.#starved.length;
  }

  /** Adds a segment's buffers. `clientSegment` is the number by which the client names it. */
  addSegment(clientSegment: number, portSegment: number, bufferCount: number): void {
    this.#segments[clientSegment] = { portSegment, holders: new Array<undefined>(bufferCount) };
    this.#clientSegments.set(portSegment, clientSegment);
    for (let index = 0; index < bufferCount; index++) this.#port.provide(this.#group, portSegment, index);
    this.#free += bufferCount;
  }

  hasFree(): boolean {
    return this.#free > 0;
  }

  /** A receive has filled a buffer: it is `holder`'s until it is recycled. Returns the client's name for it. */
  filled(portSegment: number, index: number, holder: BufferHolder): number {
    const clientSegment = this.#clientSegments.get(portSegment) as number;
    const segment = this.#segments[clientSegment] as ReceiveSegment;
    segment.holders[index] = holder;
    holder.heldBuffers++;
    this.#held++;
    this.#free--;
    return bufferName(clientSegment, index);
  }

  /** A buffer comes back. False if the client names one that it does not have. */
  recycle(name: number): boolean {
    const index = indexOf(name);
    const segment = this.#segments[segmentOf(name)];
    const holder = segment?.holders[index];
    if (!segment || !holder) return false;
    segment.holders[index] = undefined;
    holder.heldBuffers--;
    this.#held--;
    this.#free++;
    this.#port.provide(this.#group, segment.portSegment, index);
    this.#feed();
    holder.arm();
    return true;
  }

  /** The stream wants to receive and there is no buffer: it is armed when one comes back. */
  starve(holder: BufferHolder): void {
    if (holder.starved) return;
    holder.starved = true;
    this.#starved.push(holder);
    this.#wish();
  }

  /** The stream no longer wants to receive. */
  unstarve(holder: BufferHolder): void {
    if (!holder.starved) return;
    holder.starved = false;
    this.#starved.splice(this.#starved.indexOf(holder), 1);
    this.#wish();
  }

  /** A stream stopped at its quota (`delta` 1), or no longer is (`delta` -1). */
  paused(delta: 1 | -1): void {
    this.#pausedStreams += delta;
    this.#wish();
  }

  /**
   * While there is a free buffer nobody waits. All are armed, not as many as there are buffers: some have nothing to
   * receive, and would keep a buffer from those behind them. Whoever finds the group empty comes back, in order.
   */
  #feed(): void {
    while (this.#free > 0) {
      const holder = this.#starved.shift();
      if (!holder) break;
      holder.starved = false;
      holder.arm();
    }
    this.#wish();
  }

  #wish(): void {
    const wished = this.#starved.length > 0 || this.#pausedStreams > 0;
    if (wished === this.#wished) return;
    this.#wished = wished;
    wishForBuffers(this.#words, wished);
  }
}
