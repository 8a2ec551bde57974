/**
 * What a stream leaves behind with a client that detached it: the slot, and what is still in that client's memory.
 *
 * ```
 *   left ──the receive on the client's buffers is released,
 *          the client's last write is sent or given up,
 *          and it is decided who gets the stream──► RELEASED
 * ```
 *
 * The last condition keeps `Slot.CLAIM` from meeting the slot's next tenant; a client that has ended allocates no more slots,
 * and is not waited for.
 */
import type { Session } from '../clients/session.js';
import type { SendList } from './send-list.js';
import type { Source } from './source.js';

export class Departure implements Source {
  readonly session: Session;
  readonly slot: number;
  readonly generation: number;
  readonly sends: SendList | undefined;
  #receiving = false;
  #decided = false;
  #over = false;

  /** Takes the stream's place among the client's sources. */
  constructor(session: Session, slot: number, generation: number, sends: SendList | undefined, receiving: boolean) {
    this.session = session;
    this.slot = slot;
    this.generation = generation;
    this.sends = sends;
    this.#receiving = receiving;
    session.replaceSource(slot, this);
  }

  setInterest(): void {}
  completed(): void {}

  /** The client has ended. What it wrote is the stream's matter. */
  close(): void {
    this.settle();
  }

  /** Nothing is received into the client's buffers any more. */
  receiveReleased(): void {
    this.#receiving = false;
    this.settle();
  }

  /** Attached, or expired. */
  decided(): void {
    this.#decided = true;
    this.settle();
  }

  /** Called when anything that it waits for may have come. */
  settle(): void {
    if (this.#over || this.#receiving || this.sends?.isEmpty === false) return;
    if (!this.#decided && !this.session.draining) return;
    this.#over = true;
    this.session.removeSource(this.slot, this.generation);
  }
}
