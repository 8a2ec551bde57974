/**
 * Memory that events speak of, as it was announced: messages that precede their events, and are taken when an event asks.
 */
import { type BroadcastChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { SegmentDescription } from '../../protocol/buffer-name.js';
import type { Announcement } from '../../protocol/control.js';
import type { UnreadData } from '../../protocol/transfer.js';
import type { SlotName } from './slots.js';

export class Announcements {
  readonly #channel: BroadcastChannel;
  /** By number; those that the client attached with included. */
  readonly #segments: SegmentDescription[];
  readonly #late = new Map<string, UnreadData>();

  constructor(segments: readonly SegmentDescription[], channel: BroadcastChannel) {
    this.#segments = [...segments];
    this.#channel = channel;
    // Whatever the event loop comes across first, it hands out, listener or not.
    channel.onmessage = (event) => this.#add((event as { data: Announcement }).data);
    channel.unref();
  }

  segment(number: number): SegmentDescription {
    const segment = this.#segments[number] ?? this.#received(() => this.#segments[number]);
    if (!segment) throw new RangeError(`segment ${number} was never announced`);
    return segment;
  }

  /** What a LATE event speaks of; once. */
  takeLate(name: SlotName): UnreadData {
    const at = key(name);
    const late = this.#late.get(at) ?? this.#received(() => this.#late.get(at));
    if (!late) throw new RangeError(`late data of slot ${name.slot} was never announced`);
    this.#late.delete(at);
    return late;
  }

  /** Announced before the event that asks: if the event loop has not come across it, it is in the channel. */
  #received<Found>(find: () => Found | undefined): Found | undefined {
    // Node's types do not know that a BroadcastChannel is taken too; its documentation does.
    const channel = this.#channel as unknown as MessagePort;
    for (let taken = receiveMessageOnPort(channel); taken; taken = receiveMessageOnPort(channel)) {
      this.#add(taken.message as Announcement);
    }
    return find();
  }

  #add(announcement: Announcement): void {
    if (announcement.kind === 'segment') this.#segments[announcement.number] = announcement.segment;
    else this.#late.set(key(announcement), announcement.data);
  }
}

function key({ slot, generation }: SlotName): string {
  return `${slot}/${generation}`;
}
