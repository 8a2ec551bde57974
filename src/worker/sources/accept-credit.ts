/** A slot lent for one connection. While lent it is a source that does nothing. */
import type { Session } from '../clients/session.js';
import type { Source } from './source.js';
import { TcpStream } from './tcp-stream.js';

export class AcceptCredit implements Source {
  readonly slot: number;
  readonly generation: number;
  readonly #session: Session;

  constructor(session: Session, slot: number, generation: number) {
    this.#session = session;
    this.slot = slot;
    this.generation = generation;
    session.addSource(slot, this);
  }

  setInterest(): void {}
  close(): void {}
  completed(): void {}

  /** The listener closes: the slot goes back unused. */
  giveBack(): void {
    this.#session.removeSource(this.slot, this.generation);
  }

  /** A connection takes the slot: a new one, or one that another sharer has not claimed. */
  redeem({ stream, fd }: { readonly stream: TcpStream | undefined; readonly fd: number }): TcpStream {
    this.#session.sourceCount--;
    if (!stream) return new TcpStream(this.#session, this.slot, this.generation, fd);
    stream.passTo(this.#session, this.slot, this.generation);
    return stream;
  }
}
