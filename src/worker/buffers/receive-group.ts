/**
 * A group of the port with the buffers that this thread has given it: a receive on the group takes one of them. The
 * pool keeps several, because a stream is armed on one, and thereby told which buffers it may take.
 */
/** Who has the groups: the port, from which the kernel takes buffers, or this thread itself. */
export interface GroupKeeper {
  newGroup(): number;
  freeGroup(group: number): void;
  provide(group: number, segment: number, index: number): void;
  /** Forgets the buffers of a group. */
  dropGroup(group: number): void;
  /** Gives the pages of a segment back, which no group has buffers of. */
  discardSegment(segment: number): void;
}

export class ReceiveGroup {
  /** Names it in the port. */
  readonly id: number;
  readonly #keeper: GroupKeeper;
  /** Buffers that no completion has named yet. */
  #free = 0;

  constructor(keeper: GroupKeeper) {
    this.#keeper = keeper;
    this.id = keeper.newGroup();
  }

  get free(): number {
    return this.#free;
  }

  /** Gives a buffer to the keeper; it is the keeper's until {@link taken}. */
  provide(portSegment: number, index: number): void {
    this.#keeper.provide(this.id, portSegment, index);
    this.#free++;
  }

  /** A completion has named one of its buffers. */
  taken(): void {
    this.#free--;
  }

  /** Takes all buffers back. Only between a turn and the next records, when the port knows all that it was given. */
  drop(): void {
    this.#keeper.dropGroup(this.id);
    this.#free = 0;
  }

  /** The group is over; its number serves another. */
  end(): void {
    this.drop();
    this.#keeper.freeGroup(this.id);
  }
}
