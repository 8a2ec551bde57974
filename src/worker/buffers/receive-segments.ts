/**
 * The memory of a pool of receive buffers: the segment that it begins with, and those by which it has grown, which go out of service when they
 * were unused for a while (receive-segment.ts).
 */
import type { SegmentMemory } from '../clients/segment-memory.js';
import { type GroupKeeper, ReceiveGroup } from './receive-group.js';
import { ReceiveSegment } from './receive-segment.js';

/** A segment by which the pool has grown goes out of service when it was unused for so long. */
const IDLE_MS = 1000;

interface GrownSegment {
  readonly receive: ReceiveSegment;
  readonly group: ReceiveGroup;
  inService: boolean;
  idleSinceMs: number | undefined;
}

export class ReceiveSegments {
  /** The one that the pool begins with; its buffers are in the pool's own groups. */
  readonly first: ReceiveSegment;
  readonly counters = { grown: 0, returned: 0 };
  readonly #keeper: GroupKeeper;
  readonly #memory: SegmentMemory;
  readonly #maxBuffers: number;
  /** By the client's segment number; send segments, and those of other pools, leave holes. */
  readonly #segments: (ReceiveSegment | undefined)[] = [];
  /** The client's number by the port's. */
  readonly #clientSegments = new Map<number, number>();
  readonly #grown: GrownSegment[] = [];
  #bufferCount = 0;

  /** `first`: the client's number of the segment to begin with. `maxBuffers`: how many there may be in all. */
  constructor(keeper: GroupKeeper, memory: SegmentMemory, first: number, maxBuffers: number) {
    this.#keeper = keeper;
    this.#memory = memory;
    this.#maxBuffers = maxBuffers;
    this.first = this.#add(first);
  }

  /** Buffers in service. */
  get bufferCount(): number {
    return this.#bufferCount;
  }

  /** Those that readers have. */
  get held(): number {
    return this.#segments.reduce((sum, segment) => sum + (segment?.held ?? 0), 0);
  }

  /** By the client's number; undefined if it is not this pool's. */
  at(clientSegment: number): ReceiveSegment | undefined {
    return this.#segments[clientSegment];
  }

  /** The client's number of a segment of this pool, by the port's. */
  numberOf(portSegment: number): number {
    return this.#clientSegments.get(portSegment) as number;
  }

  /** All there have been, by the client's number. */
  entries(): [clientSegment: number, segment: ReceiveSegment][] {
    return this.#segments.flatMap((segment, number) =>
      segment ? [[number, segment] as [number, ReceiveSegment]] : [],
    );
  }

  /** Of that group and those in service the one with the most buffers, so that streams spread over them. */
  fullest(than: ReceiveGroup): ReceiveGroup {
    let best = than;
    for (const { group, inService } of this.#grown) if (inService && group.free > best.free) best = group;
    return best;
  }

  /** A group with buffers that were not in service; undefined when there may be no more. */
  grow(): ReceiveGroup | undefined {
    const dormant = this.#grown.find(({ inService }) => !inService);
    const grown = dormant ?? this.#newSegment();
    if (!grown) return undefined;
    grown.inService = true;
    grown.idleSinceMs = undefined;
    grown.receive.provideAll(grown.group);
    if (dormant) this.#bufferCount += grown.receive.segment.bufferCount;
    this.counters.grown++;
    return grown.group;
  }

  /**
   * Takes out of service what has been unused for a while. Called when the port has taken every record and every
   * completion was dispatched: only then are the groups' counts what the port has.
   */
  trim(nowMs: number): void {
    for (const grown of this.#grown) {
      const unused = grown.inService && grown.group.free === grown.receive.segment.bufferCount;
      if (!unused) grown.idleSinceMs = undefined;
      else grown.idleSinceMs ??= nowMs;
      if (grown.idleSinceMs !== undefined && nowMs - grown.idleSinceMs >= IDLE_MS) this.#retire(grown);
    }
  }

  /** The client is over: ends the groups of those that were added. */
  release(): void {
    for (const { group } of this.#grown) group.end();
  }

  #newSegment(): GrownSegment | undefined {
    const { bufferSize, bufferCount } = this.first.segment;
    const count = Math.min(bufferCount, this.#maxBuffers - this.#bufferCount);
    if (count < 1) return undefined;
    const segment = this.#memory.growReceive(bufferSize, count);
    if (!segment) return undefined;
    const group = new ReceiveGroup(this.#keeper);
    const receive = this.#add(segment.number, group);
    const grown = { receive, group, inService: true, idleSinceMs: undefined };
    this.#grown.push(grown);
    return grown;
  }

  #retire(grown: GrownSegment): void {
    const { segment } = grown.receive;
    grown.group.drop();
    grown.inService = false;
    grown.idleSinceMs = undefined;
    this.#keeper.discardSegment(segment.portSegment);
    this.#bufferCount -= segment.bufferCount;
    this.counters.returned++;
  }

  #add(number: number, ownGroup?: ReceiveGroup): ReceiveSegment {
    const segment = this.#memory.segments[number];
    if (!segment) throw new RangeError(`no segment ${number}`);
    const receive = new ReceiveSegment(segment, ownGroup);
    this.#segments[number] = receive;
    this.#clientSegments.set(segment.portSegment, number);
    this.#bufferCount += segment.bufferCount;
    return receive;
  }
}
