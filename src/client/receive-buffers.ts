/**
 * Views of the received bytes that this client's readers hold.
 */
import { indexOf, type SegmentDescription, segmentOf } from '../protocol/buffer-name.js';

export class ReceiveBuffers {
  readonly #segments: { readonly memory: SharedArrayBuffer; readonly bufferSize: number }[];

  constructor(segments: readonly SegmentDescription[]) {
    this.#segments = segments.map(({ memory, bufferSize }) => ({ memory, bufferSize }));
  }

  /** Bytes `from` to `to` of a buffer, in shared memory. */
  view(name: number, from: number, to: number): Uint8Array<SharedArrayBuffer> {
    const segment = this.#segments[segmentOf(name)];
    if (!segment) throw new RangeError(`no segment for buffer ${name}`);
    return new Uint8Array(segment.memory, indexOf(name) * segment.bufferSize + from, to - from);
  }
}
