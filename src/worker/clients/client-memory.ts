/**
 * The memory of one client: control words and segments, each known to the port by a number of its own.
 */
import { BroadcastChannel } from 'node:worker_threads';
import type { NativePort } from '../../native.js';
import type { SegmentDescription } from '../../protocol/buffer-name.js';
import { clientMemoryBytes, type Geometry, geometryFor } from '../../protocol/client-memory.js';
import { type Announcement, announcementChannel, type IoThreadConfiguration } from '../../protocol/control.js';
import { MESSAGE_GOES_ON } from '../../protocol/events.js';
import type { Chunk } from '../buffers/receive-segment.js';
import { type PortSegment, SegmentMemory } from './segment-memory.js';

export class ClientMemory extends SegmentMemory {
  readonly geometry: Geometry;
  readonly memory: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly #clientId: number;
  #channel: BroadcastChannel | undefined;

  constructor(clientId: number, port: NativePort, configuration: IoThreadConfiguration) {
    super(port);
    this.#clientId = clientId;
    const { maxSources, receiveBuffers, maxReceiveBuffers, receiveBufferSize, sendBuffers, sendBufferSize } =
      configuration;
    const { maxDatagramBuffers } = configuration;
    // Datagrams that were received into the client's buffers, and those that it is dealt.
    const mostReceiveBuffers = Math.max(receiveBuffers, maxReceiveBuffers) + 2 * maxDatagramBuffers;
    this.geometry = geometryFor(maxSources, mostReceiveBuffers, sendBuffers);
    this.memory = new SharedArrayBuffer(clientMemoryBytes(this.geometry));
    this.words = new Int32Array(this.memory);
    this.addSegment('receive', receiveBufferSize, receiveBuffers);
    this.addSegment('send', sendBufferSize, sendBuffers);
  }

  /** What the client is told when it attaches. */
  describe(): SegmentDescription[] {
    return this.segments.map(describe);
  }

  /** Announces the segment to the client besides. */
  override growReceive(bufferSize: number, bufferCount: number): PortSegment | undefined {
    const segment = super.growReceive(bufferSize, bufferCount);
    if (segment) this.#announce({ kind: 'segment', number: segment.number, segment: describe(segment) });
    return segment;
  }

  /** Hands data over that is in no segment. */
  announceLate(slot: number, generation: number, chunks: readonly Chunk[]): void {
    const lengths = chunks.map(({ bytes, goesOn }) => (goesOn ? bytes.length | MESSAGE_GOES_ON : bytes.length));
    const memory = new SharedArrayBuffer(chunks.reduce((sum, { bytes }) => sum + bytes.length, 0));
    const all = new Uint8Array(memory);
    let at = 0;
    for (const { bytes } of chunks) {
      all.set(bytes, at);
      at += bytes.length;
    }
    this.#announce({ kind: 'late', slot, generation, data: { memory, lengths } });
  }

  override release(): void {
    this.#channel?.close();
    super.release();
  }

  #announce(announcement: Announcement): void {
    this.#channel ??= this.#openChannel();
    this.#channel.postMessage(announcement);
  }

  #openChannel(): BroadcastChannel {
    const channel = new BroadcastChannel(announcementChannel(this.#clientId));
    // Nothing is received on it: it must not keep this thread alive when it has ended.
    channel.unref();
    return channel;
  }
}

function describe({ use, memory, bufferSize, bufferCount }: PortSegment): SegmentDescription {
  return { use, memory, bufferSize, bufferCount };
}
