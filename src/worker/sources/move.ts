/**
 * What a stream carries along because it moved: kept from the first DETACH until the new owner has everything. Streams that
 * stay have none.
 */
import { Seen } from '../../protocol/transfer.js';
import type { Departure } from './departure.js';

export class Move {
  /** No client has it. */
  homeless = false;
  /** Nothing is received into an earlier owner's buffers any more, and the new one knows all. */
  arrived = false;
  /** The earlier owner into whose buffers a receive is in flight, cancelled and not yet released. */
  receivingFor: Departure | undefined;
  /** Data for the next owner that is in no client's buffers, in order. */
  late: Uint8Array[] = [];
  /** What some owner has seen. */
  seen: number = Seen.ALL;
  /** Earlier owners with unsent writes, in the order of writing. */
  #unsent: Departure[] = [];

  /** Everything has been handed over. */
  get isOver(): boolean {
    return this.arrived && this.late.length === 0 && this.#unsent.length === 0;
  }

  /** Whose writes go first, before the present owner's. */
  get firstUnsent(): Departure | undefined {
    return this.#unsent[0];
  }

  get unsentBytes(): number {
    return this.#unsent.reduce((sum, { sends }) => sum + (sends?.bytesLeft ?? 0), 0);
  }

  left(departure: Departure, seen: number, receiving: boolean): void {
    this.homeless = true;
    this.arrived = false;
    this.seen = seen;
    if (receiving) this.receivingFor = departure;
    if (departure.sends?.isEmpty === false) this.#unsent.push(departure);
  }

  hasSeen(what: number): boolean {
    return (this.seen & what) !== 0;
  }

  /** A receive was released. */
  receiveReleased(): void {
    const departure = this.receivingFor;
    this.receivingFor = undefined;
    departure?.receiveReleased();
  }

  /** Gives up what earlier owners wrote and is not in flight. */
  giveBackUnsent(errno: number): void {
    for (const { sends } of this.#unsent) sends?.giveBackUnsent(errno);
    this.forgetSent();
  }

  /** Some of it was sent, or given up. */
  forgetSent(): void {
    const sent = this.#unsent.filter(({ sends }) => sends?.isEmpty !== false);
    if (sent.length === 0) return;
    this.#unsent = this.#unsent.filter(({ sends }) => sends?.isEmpty === false);
    for (const departure of sent) departure.settle();
  }
}
