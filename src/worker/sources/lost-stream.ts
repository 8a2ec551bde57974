/**
 * In the slot of a client that attached a stream which is not there: it was lost with the thread that detached it, which was
 * detached itself for writing nonsense. The client is told that the connection was reset.
 */
import { EventKind } from '../../protocol/events.js';
import type { Session } from '../clients/session.js';
import { ECONNRESET } from './errnos.js';
import type { Source } from './source.js';

export class LostStream implements Source {
  readonly slot: number;
  readonly generation: number;
  readonly #session: Session;

  constructor(session: Session, slot: number, generation: number) {
    this.#session = session;
    this.slot = slot;
    this.generation = generation;
    session.addSource(slot, this);
    session.push(EventKind.END, slot, generation, ECONNRESET);
  }

  setInterest(): void {}
  completed(): void {}

  close(): void {
    this.#session.removeSource(this.slot, this.generation);
  }
}
