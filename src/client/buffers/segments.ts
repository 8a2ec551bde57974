/**
 * Where buffers lie: this client's segments by number, those included that were added since it attached.
 */
import { indexOf, segmentOf } from '../../protocol/buffer-name.js';
import type { Announcements } from '../link/announcements.js';

export class Segments {
  readonly #announcements: Announcements;

  constructor(announcements: Announcements) {
    this.#announcements = announcements;
  }

  /** Bytes `from` to `to` of a buffer, in shared memory. */
  view(name: number, from: number, to: number): Uint8Array<SharedArrayBuffer> {
    const { memory, bufferSize } = this.#announcements.segment(segmentOf(name));
    return new Uint8Array(memory, indexOf(name) * bufferSize + from, to - from);
  }
}
