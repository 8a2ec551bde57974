/**
 * One client's receive buffers: which streams may take them. The memory is receive-segments.ts's.
 *
 * ```
 *   in a group of the port ──receive completes──► held: its reader has the data
 *          ▲                                          │ RECYCLE
 *          └──────────────────────────────────────────┘
 * ```
 *
 * A stream that has nothing unread can always receive, however many others hold data that nobody reads:
 *
 * 1. No stream holds more than its quota, read or copied out.
 * 2. When the pool is used up it grows, up to a limit.
 * 3. Then streams *starve*: they wait for buffers that come back, first those with nothing unread.
 * 4. Some buffers are reserved: only streams with nothing unread are armed on them, for one buffer.
 * 5. While such a stream starves the client is asked to copy old unread data out of its buffers (BuffersWanted.COPIED_OUT), and
 *    the buffers come back. The client does so when it next drains its events; one that never does so reads nothing either.
 *
 * Beyond `maxUnreadBytes` of copies the kernel holds what comes, and its window slows the peers down.
 */
import { bufferName, indexOf, segmentOf } from '../../protocol/buffer-name.js';
import { BuffersWanted } from '../../protocol/client-memory.js';
import type { SegmentMemory } from '../clients/segment-memory.js';
import type { BufferWishes } from './buffer-wishes.js';
import { type GroupKeeper, ReceiveGroup } from './receive-group.js';
import type { Chunk, ReceiveSegment } from './receive-segment.js';
import { ReceiveSegments } from './receive-segments.js';
import { Starving } from './starving.js';

/** A stream that holds, or waits for, receive buffers. */
export interface BufferHolder {
  /** Buffers with this stream's data that its reader has not given back. */
  heldBuffers: number;
  /** Buffers whose data was copied out and has not been read. */
  copiedBuffers: number;
  /** A buffer came back: receive if that is wanted. */
  arm(): void;
}

/** Where a stream may receive, and how many buffers at most. */
export interface Offer {
  readonly group: number;
  readonly limit: number;
  /** The limit may grow as the stream gives buffers back. */
  readonly extendable: boolean;
}

export interface ReceivePoolLimits {
  /** Buffers per stream. */
  readonly quota: number;
  /** Buffers of the pool when it has grown as far as it may. */
  readonly maxBuffers: number;
  /** Whether the client is asked to copy old unread data out (rule 5). */
  readonly copiesOut: boolean;
}

/** Of all pools, so that what one reader has of several of them has an order. */
let fillings = 0;

/** One buffer in eight, and at least one, is reserved. */
const RESERVE_SHIFT = 3;
export class ReceivePool {
  readonly #limits: ReceivePoolLimits;
  readonly #wishes: BufferWishes;
  readonly #segments: ReceiveSegments;
  readonly #common: ReceiveGroup;
  readonly #reserve: ReceiveGroup;
  readonly #reserveSize: number;
  readonly #starving = new Starving();
  #atQuota = 0;
  #wished = 0;
  #quotaOvershoot = 0;

  /** `segment`: the number of the one that the pool begins with. */
  constructor(
    keeper: GroupKeeper,
    memory: SegmentMemory,
    segment: number,
    limits: ReceivePoolLimits,
    wishes: BufferWishes,
  ) {
    this.#limits = limits;
    this.#wishes = wishes;
    this.#common = new ReceiveGroup(keeper);
    this.#reserve = new ReceiveGroup(keeper);
    this.#segments = new ReceiveSegments(keeper, memory, segment, limits.maxBuffers);
    const { bufferCount } = this.#segments;
    this.#reserveSize = Math.max(1, bufferCount >> RESERVE_SHIFT);
    for (let index = 0; index < bufferCount; index++) this.#provideHome(this.#segments.first, index);
  }

  // -- figures ---------------------------------------------------------------------------------------

  get bufferCount(): number {
    return this.#segments.bufferCount;
  }

  get held(): number {
    return this.#segments.held;
  }

  get counters() {
    const { grown, returned } = this.#segments.counters;
    return { segmentsGrown: grown, segmentsReturned: returned, quotaOvershoot: this.#quotaOvershoot };
  }

  get starvedStreams(): number {
    return this.#starving.size;
  }

  get streamsAtQuota(): number {
    return this.#atQuota;
  }

  /** Whether buffers of this segment, by the client's number, are this pool's. */
  has(clientSegment: number): boolean {
    return this.#segments.at(clientSegment) !== undefined;
  }

  // -- receiving -------------------------------------------------------------------------------------

  /** Whether so many buffers are worth telling the port of: half of what a stream may hold. */
  isWorthExtending(count: number): boolean {
    return count > 0 && count >= this.#limits.quota >> 1;
  }

  /** Buffers that the stream may still take. */
  allowance(holder: BufferHolder): number {
    return this.#limits.quota - holder.heldBuffers - holder.copiedBuffers;
  }

  /** Where the stream may receive now. Undefined: it starves, and is armed when a buffer comes back. */
  offer(holder: BufferHolder): Offer | undefined {
    const limit = this.allowance(holder);
    const group = this.#groupWithBuffers() ?? this.#segments.grow();
    if (group) return { group: group.id, limit, extendable: true };
    // One only: with it the stream has something unread.
    if (hasNothingUnread(holder) && this.#reserve.free > 0) {
      return { group: this.#reserve.id, limit: 1, extendable: false };
    }
    this.#starving.add(holder, hasNothingUnread(holder));
    this.#wish();
    return undefined;
  }

  /** A receive has filled a buffer, `length` as in DATA: it is `holder`'s until it is recycled. Returns the client's name for it. */
  filled(portSegment: number, index: number, length: number, holder: BufferHolder): number {
    const clientSegment = this.#segments.numberOf(portSegment);
    (this.#segments.at(clientSegment) as ReceiveSegment).filled(index, length, fillings++, holder);
    holder.heldBuffers++;
    if (this.allowance(holder) < 0) this.#quotaOvershoot++;
    return bufferName(clientSegment, index);
  }

  /** Fills a buffer, by the port's number of its segment, that this thread has taken out of its group. */
  write(portSegment: number, index: number, bytes: Uint8Array): void {
    (this.#segments.at(this.#segments.numberOf(portSegment)) as ReceiveSegment).write(index, bytes);
  }

  /** What is in a buffer that a reader has, or is to have, where it lies. */
  bytes(name: number): Uint8Array<SharedArrayBuffer> {
    return (this.#segments.at(segmentOf(name)) as ReceiveSegment).bytes(indexOf(name));
  }

  /** A buffer comes back, its data read or copied out. False if the client names one that it does not have. */
  recycle(name: number, copiedOut: boolean): boolean {
    const index = indexOf(name);
    const segment = this.#segments.at(segmentOf(name));
    const holder = segment?.recycled(index);
    if (!segment || !holder) return false;
    holder.heldBuffers--;
    if (copiedOut) holder.copiedBuffers++;
    this.#provideHome(segment, index);
    this.#changed(holder);
    return true;
  }

  /** Copies what is in a buffer, which nobody was told of, and takes it back: unread still, so it counts against the quota. */
  takeOut(name: number): Chunk {
    const chunk = (this.#segments.at(segmentOf(name)) as ReceiveSegment).copy(indexOf(name));
    this.recycle(name, true);
    return chunk;
  }

  /** The reader gave the stream up: as {@link takeOut} for each buffer that it has and, as we know, has not looked at; in order. */
  takeBack(holder: BufferHolder): Chunk[] {
    return takeBack([this], holder);
  }

  /** The buffers that the reader has, and when each was filled. */
  heldBy(holder: BufferHolder): { readonly pool: ReceivePool; readonly name: number; readonly order: number }[] {
    return this.#segments
      .entries()
      .flatMap(([number, segment]) =>
        segment.heldBy(holder).map(({ index, order }) => ({ pool: this, name: bufferName(number, index), order })),
      );
  }

  /** Copied-out data was read. False if the client claims more than it copied. */
  copiesRead(holder: BufferHolder, count: number): boolean {
    if (count < 1 || count > holder.copiedBuffers) return false;
    holder.copiedBuffers -= count;
    this.#changed(holder);
    return true;
  }

  /** The stream no longer wants to receive. */
  unstarve(holder: BufferHolder): void {
    if (this.#starving.delete(holder)) this.#wish();
  }

  /** A stream stopped at its quota (`delta` 1), or no longer is (`delta` -1). */
  countAtQuota(delta: 1 | -1): void {
    this.#atQuota += delta;
    this.#wish();
  }

  /** As {@link ReceiveSegments.trim}; called every now and then. */
  trim(nowMs: number): void {
    this.#segments.trim(nowMs);
  }

  /** The client is over, every operation of its streams reaped. */
  release(): void {
    for (const group of [this.#common, this.#reserve]) group.end();
    this.#segments.release();
  }

  // -- the parts -------------------------------------------------------------------------------------

  #groupWithBuffers(): ReceiveGroup | undefined {
    const group = this.#segments.fullest(this.#common);
    return group.free > 0 ? group : undefined;
  }

  /** The reserve comes first. A segment that was added stays among itself, so that it can be taken out of service. */
  #provideHome(segment: ReceiveSegment, index: number): void {
    segment.provide(index, segment.ownGroup ?? (this.#reserve.free < this.#reserveSize ? this.#reserve : this.#common));
  }

  /** A buffer came back, or a stream has nothing unread any more: some may go on. */
  #changed(holder: BufferHolder): void {
    if (hasNothingUnread(holder)) this.#starving.hasNothingUnread(holder);
    this.#feed();
    holder.arm();
  }

  /**
   * While there is a free buffer nobody waits whom it could serve. All of them are armed, not as many as there are buffers: some have
   * nothing to receive, and would keep a buffer from those behind them. Whoever finds the group empty comes back, in order.
   */
  #feed(): void {
    if (this.#starving.size > 0) {
      const common = this.#groupWithBuffers() !== undefined;
      if (common || this.#reserve.free > 0) for (const holder of this.#starving.take(common)) holder.arm();
    }
    this.#wish();
  }

  #wish(): void {
    let wished = 0;
    if (this.#starving.size > 0 || this.#atQuota > 0) wished |= BuffersWanted.RECYCLED;
    if (this.#limits.copiesOut && this.#starving.withNothingUnread > 0) wished |= BuffersWanted.COPIED_OUT;
    if (wished === this.#wished) return;
    const before = this.#wished;
    this.#wished = wished;
    this.#wishes.change(before, wished);
  }
}

/** As {@link ReceivePool.takeBack}, of several pools. */
export function takeBack(pools: readonly ReceivePool[], holder: BufferHolder): Chunk[] {
  if (holder.heldBuffers === 0) return [];
  const held = pools.flatMap((pool) => pool.heldBy(holder));
  return held.sort((a, b) => a.order - b.order).map(({ pool, name }) => pool.takeOut(name));
}

function hasNothingUnread({ heldBuffers, copiedBuffers }: BufferHolder): boolean {
  return heldBuffers + copiedBuffers === 0;
}
