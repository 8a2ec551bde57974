/**
 * The memory of one client: control words and segments, each known to the port by a number of its own.
 */
import { BroadcastChannel } from 'node:worker_threads';
import type { NativePort } from '../../native.js';
import { MAX_SEGMENTS, type SegmentDescription, type SegmentUse } from '../../protocol/buffer-name.js';
import { clientMemoryBytes, type Geometry, geometryFor } from '../../protocol/client-memory.js';
import { type Announcement, announcementChannel, type IoThreadConfiguration } from '../../protocol/control.js';

/** A segment on the I/O thread's side. */
export interface ClientSegment extends SegmentDescription {
  /** The number by which the client names it. */
  readonly number: number;
  /** The number by which the port names it. */
  readonly portSegment: number;
}

export class ClientMemory {
  readonly geometry: Geometry;
  readonly memory: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly #clientId: number;
  readonly #port: NativePort;
  /** By number. */
  readonly #segments: ClientSegment[] = [];
  #channel: BroadcastChannel | undefined;

  constructor(clientId: number, port: NativePort, configuration: IoThreadConfiguration) {
    this.#clientId = clientId;
    this.#port = port;
    const { maxSources, receiveBuffers, maxReceiveBuffers, receiveBufferSize, sendBuffers, sendBufferSize } =
      configuration;
    const { maxDatagramBuffers } = configuration;
    const mostReceiveBuffers = Math.max(receiveBuffers, maxReceiveBuffers) + maxDatagramBuffers;
    this.geometry = geometryFor(maxSources, mostReceiveBuffers, sendBuffers);
    this.memory = new SharedArrayBuffer(clientMemoryBytes(this.geometry));
    this.words = new Int32Array(this.memory);
    this.#addSegment('receive', receiveBufferSize, receiveBuffers);
    this.#addSegment('send', sendBufferSize, sendBuffers);
  }

  get segments(): readonly ClientSegment[] {
    return this.#segments;
  }

  /** What the client is told when it attaches. */
  describe(): SegmentDescription[] {
    return this.#segments.map(describe);
  }

  /** One more segment of receive buffers, announced to the client; undefined when there is no name or memory left. */
  growReceive(bufferSize: number, bufferCount: number): ClientSegment | undefined {
    if (this.#segments.length === MAX_SEGMENTS) return undefined;
    let segment: ClientSegment;
    try {
      segment = this.#addSegment('receive', bufferSize, bufferCount);
    } catch (error) {
      // The allocation failed: the pool stays as large as it is.
      if (error instanceof RangeError) return undefined;
      throw error;
    }
    this.#announce({ kind: 'segment', number: segment.number, segment: describe(segment) });
    return segment;
  }

  /** Hands data over that is in no segment. */
  announceLate(slot: number, generation: number, chunks: readonly Uint8Array[]): void {
    const lengths = chunks.map(({ length }) => length);
    const memory = new SharedArrayBuffer(lengths.reduce((sum, length) => sum + length, 0));
    const bytes = new Uint8Array(memory);
    let at = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    this.#announce({ kind: 'late', slot, generation, data: { memory, lengths } });
  }

  /** Lets the port's references go. No operation may use the memory any more, and no group of the port has its buffers. */
  release(): void {
    this.#channel?.close();
    for (const { portSegment } of this.#segments) {
      if (!this.#port.removeSegment(portSegment)) throw new Error(`segment ${portSegment} is still in use`);
    }
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

  #addSegment(use: SegmentUse, bufferSize: number, bufferCount: number): ClientSegment {
    const memory = new SharedArrayBuffer(bufferSize * bufferCount);
    const portSegment = this.#port.addSegment(new Uint8Array(memory), bufferSize);
    const segment = { number: this.#segments.length, use, memory, bufferSize, bufferCount, portSegment };
    this.#segments.push(segment);
    return segment;
  }
}

function describe({ use, memory, bufferSize, bufferCount }: ClientSegment): SegmentDescription {
  return { use, memory, bufferSize, bufferCount };
}
