/**
 * A group of the port with the buffers that this thread has given it: a receive on the group takes one of them. The
 * pool keeps several, because a stream is armed on one, and thereby told which buffers it may take.
 */
import type { Port } from '../loop/port.js';

export class ReceiveGroup {
  /** Names it in the port. */
  readonly id: number;
  readonly #port: Port;
  /** Buffers that no completion has named yet. */
  #free = 0;

  constructor(port: Port) {
    this.#port = port;
    this.id = port.newGroup();
  }

  get free(): number {
    return this.#free;
  }

  /** Gives a buffer to the port; it is the port's until {@link taken}. */
  provide(portSegment: number, index: number): void {
    this.#port.provide(this.id, portSegment, index);
    this.#free++;
  }

  /** A completion has named one of its buffers. */
  taken(): void {
    this.#free--;
  }

  /** Takes all buffers back. Only between a turn and the next records, when the port knows all that it was given. */
  drop(): void {
    this.#port.native.dropGroup(this.id);
    this.#free = 0;
  }

  /** The group is over; its number serves another. */
  end(): void {
    this.drop();
    this.#port.freeGroup(this.id);
  }
}
