/** Segments of buffers that the port knows, each by a number of its own. */
import type { NativePort } from '../../native.js';
import { MAX_SEGMENTS, type SegmentDescription, type SegmentUse } from '../../protocol/buffer-name.js';

/** A segment on the I/O thread's side. */
export interface PortSegment extends SegmentDescription {
  /** Its place among the memory's segments: the number by which a client names it. */
  readonly number: number;
  /** The number by which the port names it. */
  readonly portSegment: number;
}

export class SegmentMemory {
  readonly #port: NativePort;
  /** By number. */
  readonly #segments: PortSegment[] = [];

  constructor(port: NativePort) {
    this.#port = port;
  }

  get segments(): readonly PortSegment[] {
    return this.#segments;
  }

  /** One more segment of receive buffers; undefined when there is no name or memory left. */
  growReceive(bufferSize: number, bufferCount: number): PortSegment | undefined {
    if (this.#segments.length === MAX_SEGMENTS) return undefined;
    try {
      return this.addSegment('receive', bufferSize, bufferCount);
    } catch (error) {
      // The allocation failed: the pool stays as large as it is.
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** Lets the port's references go. No operation may use the memory any more, and no group of the port has its buffers. */
  release(): void {
    for (const { portSegment } of this.#segments) {
      if (!this.#port.removeSegment(portSegment)) throw new Error(`segment ${portSegment} is still in use`);
    }
  }

  protected addSegment(use: SegmentUse, bufferSize: number, bufferCount: number): PortSegment {
    const memory = new SharedArrayBuffer(bufferSize * bufferCount);
    const portSegment = this.#port.addSegment(new Uint8Array(memory), bufferSize);
    const segment = { number: this.#segments.length, use, memory, bufferSize, bufferCount, portSegment };
    this.#segments.push(segment);
    return segment;
  }
}
