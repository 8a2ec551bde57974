/**
 * Where buffers lie: this client's segments by number, those included that were added since it attached.
 */
import { type BroadcastChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { indexOf, type SegmentDescription, segmentOf } from '../../protocol/buffer-name.js';
import type { SegmentAnnouncement } from '../../protocol/control.js';

export class Segments {
  readonly #segments: SegmentDescription[];
  readonly #announcements: BroadcastChannel;

  constructor(segments: readonly SegmentDescription[], announcements: BroadcastChannel) {
    this.#segments = [...segments];
    this.#announcements = announcements;
    // Whatever the event loop comes across first, it hands out, listener or not.
    announcements.onmessage = (event) => this.#add((event as { data: SegmentAnnouncement }).data);
    announcements.unref();
  }

  /** Bytes `from` to `to` of a buffer, in shared memory. */
  view(name: number, from: number, to: number): Uint8Array<SharedArrayBuffer> {
    const number = segmentOf(name);
    const segment = this.#segments[number] ?? this.#added(number);
    return new Uint8Array(segment.memory, indexOf(name) * segment.bufferSize + from, to - from);
  }

  /** Announced before the event that names it was published: if the event loop has not come across it, it is in the channel. */
  #added(number: number): SegmentDescription {
    // Node's types do not know that a BroadcastChannel is taken too; its documentation does.
    const channel = this.#announcements as unknown as MessagePort;
    for (let taken = receiveMessageOnPort(channel); taken; taken = receiveMessageOnPort(channel)) {
      this.#add(taken.message as SegmentAnnouncement);
    }
    const segment = this.#segments[number];
    if (!segment) throw new RangeError(`segment ${number} was never announced`);
    return segment;
  }

  #add({ number, segment }: SegmentAnnouncement): void {
    this.#segments[number] = segment;
  }
}
