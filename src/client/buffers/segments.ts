/**
 * Where buffers lie: this client's segments by number, those included that were added since it attached.
 */
import { indexOf, segmentOf } from '../../protocol/buffer-name.js';
import type { Announcements } from '../link/announcements.js';

export class Segments {
  readonly #announcements: Announcements;
  /**
   * By segment and buffer: the view of it that was made last. Where messages have one length the next one needs the same again. It says no more than where
   * bytes lie, so whoever kept it from before sees what any other view of that memory shows.
   */
  readonly #views: (Uint8Array<SharedArrayBuffer> | undefined)[][] = [];

  constructor(announcements: Announcements) {
    this.#announcements = announcements;
  }

  /** Bytes `from` to `to` of a buffer, in shared memory. */
  view(name: number, from: number, to: number): Uint8Array<SharedArrayBuffer> {
    const segment = segmentOf(name);
    const index = indexOf(name);
    const { memory, bufferSize, bufferCount } = this.#announcements.segment(segment);
    const at = index * bufferSize + from;
    this.#views[segment] ??= new Array<undefined>(bufferCount);
    const views = this.#views[segment];
    const last = views[index];
    if (last !== undefined && last.byteOffset === at && last.length === to - from) return last;
    const view = new Uint8Array(memory, at, to - from);
    views[index] = view;
    return view;
  }
}
