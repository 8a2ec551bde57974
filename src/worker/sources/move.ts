/**
 * What a stream carries along because it moved: kept from the first DETACH until the new owner has everything. Streams that
 * stay have none.
 */
import { Seen } from '../../protocol/transfer.js';
import type { Chunk } from '../buffers/receive-segment.js';
import type { Departure } from './departure.js';

export class Move {
  /** No client has it. */
  homeless = false;
  /** Nothing is received into an earlier owner's buffers any more, and the new one knows all. */
  arrived = false;
  /** The earlier owner into whose buffers a receive is in flight, cancelled and not yet released. */
  receivingFor: Departure | undefined;
  /** Data for the next owner that is in no client's buffers, in order. */
  late: Chunk[] = [];
  /** What some owner has seen. */
  #seen: number = Seen.ALL;

  left(departure: Departure, seen: number, receiving: boolean): void {
    this.homeless = true;
    this.arrived = false;
    this.#seen = seen;
    if (receiving) this.receivingFor = departure;
  }

  hasSeen(what: number): boolean {
    return (this.#seen & what) !== 0;
  }

  /** Sending failed, which nobody has seen. */
  unsee(): void {
    this.#seen &= ~Seen.FAILURE;
  }

  /** A receive was released. */
  receiveReleased(): void {
    const departure = this.receivingFor;
    this.receivingFor = undefined;
    departure?.receiveReleased();
  }
}
