/**
 * This client's slots: who has each, and in which generation. The client alone allocates; a slot comes back
 * with RELEASED, the last event that names it, so no event of an old tenant reaches a new one.
 */
import { fail } from '../../errors.js';
import type { UnreadData } from '../../protocol/transfer.js';

/** A source's name on its I/O thread. */
export interface SlotName {
  readonly slot: number;
  readonly generation: number;
}

/** Whoever an event for a slot is for. */
export interface SlotOwner {
  dispatch(kind: number, a: number, b: number): void;
  /** What a LATE event brings. */
  late?(data: UnreadData): void;
  released(): void;
  goneWithIoThread(): void;
}

export class Slots {
  readonly #limit: number;
  readonly #owners: (SlotOwner | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Slots still to be had. */
  get available(): number {
    return this.#free.length + this.#limit - this.#owners.length;
  }

  /** @throws ERR_SIDEPORT_LIMIT */
  allocate(owner: SlotOwner): number {
    const slot = this.#free.pop() ?? this.#owners.length;
    if (slot >= this.#limit) {
      throw fail('ERR_SIDEPORT_LIMIT', `This thread has ${this.#limit} sources on the I/O thread (maxSources)`);
    }
    this.#owners[slot] = owner;
    this.#generations[slot] ??= 1;
    return slot;
  }

  generation(slot: number): number {
    return this.#generations[slot] ?? 0;
  }

  owner(slot: number, generation: number): SlotOwner | undefined {
    return this.#generations[slot] === generation ? this.#owners[slot] : undefined;
  }

  /** A lent slot got its connection: from now on events are the connection's. */
  transfer(slot: number, owner: SlotOwner): void {
    this.#owners[slot] = owner;
  }

  release(slot: number): void {
    this.#owners[slot] = undefined;
    this.#generations[slot] = ((this.#generations[slot] ?? 0) + 1) | 0;
    this.#free.push(slot);
  }

  *owners(): Iterable<SlotOwner> {
    for (const owner of this.#owners) if (owner) yield owner;
  }
}
