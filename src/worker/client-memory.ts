/**
 * Makes the memory of one client: control words and segments, each known to the port by a number of its own.
 */
import type { NativePort } from '../native.js';
import type { SegmentDescription, SegmentUse } from '../protocol/buffer-name.js';
import { clientMemoryBytes, type Geometry, geometryFor } from '../protocol/client-memory.js';
import type { IoThreadConfiguration } from '../protocol/control.js';

/** A segment on the I/O thread's side; its position is the number by which the client names it. */
export interface ClientSegment extends SegmentDescription {
  readonly use: SegmentUse;
  /** The number by which the port names it. */
  readonly portSegment: number;
}

export class ClientMemory {
  readonly geometry: Geometry;
  readonly memory: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly segments: readonly ClientSegment[];
  readonly #port: NativePort;

  constructor(port: NativePort, configuration: IoThreadConfiguration) {
    this.#port = port;
    const { maxSources, receiveBuffers, receiveBufferSize, sendBuffers, sendBufferSize } = configuration;
    this.geometry = geometryFor(maxSources, receiveBuffers + sendBuffers);
    this.memory = new SharedArrayBuffer(clientMemoryBytes(this.geometry));
    this.words = new Int32Array(this.memory);
    this.segments = [
      this.#segment('receive', receiveBufferSize, receiveBuffers),
      this.#segment('send', sendBufferSize, sendBuffers),
    ];
  }

  /** What the client is told. */
  describe(): SegmentDescription[] {
    return this.segments.map(({ use, memory, bufferSize, bufferCount }) => ({ use, memory, bufferSize, bufferCount }));
  }

  /** Lets the port's references go. No operation may use the memory any more. */
  release(group: number): void {
    this.#port.dropGroup(group);
    for (const { portSegment } of this.segments) {
      if (!this.#port.removeSegment(portSegment)) throw new Error(`segment ${portSegment} is still in use`);
    }
  }

  #segment(use: SegmentUse, bufferSize: number, bufferCount: number): ClientSegment {
    const memory = new SharedArrayBuffer(bufferSize * bufferCount);
    const portSegment = this.#port.addSegment(new Uint8Array(memory), bufferSize);
    return { use, memory, bufferSize, bufferCount, portSegment };
  }
}
