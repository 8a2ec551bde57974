/**
 * A slot of a client with nothing of the I/O thread's behind it. Either the client has lent it for a connection to come:
 *
 * ```
 *   lent ──a connection is dealt──► a TcpStream's
 *     └──its sharer closes──► RELEASED
 * ```
 *
 * or the client attached a stream that is not there: lost with the thread that detached it, which was detached itself for writing
 * nonsense. The client is told that the connection was reset, and closes the slot.
 */
import { EventKind } from '../../protocol/events.js';
import type { Session } from '../clients/session.js';
import { ECONNRESET } from './errnos.js';
import type { Source } from './source.js';
import { TcpStream } from './tcp-stream.js';

export class EmptySlot implements Source {
  readonly slot: number;
  readonly generation: number;
  readonly #session: Session;
  readonly #isLent: boolean;

  /** Lent by its client, to be given back or redeemed. */
  static lent(session: Session, slot: number, generation: number): EmptySlot {
    return new EmptySlot(session, slot, generation, true);
  }

  static ofLostStream(session: Session, slot: number, generation: number): EmptySlot {
    session.push(EventKind.END, slot, generation, ECONNRESET);
    return new EmptySlot(session, slot, generation, false);
  }

  private constructor(session: Session, slot: number, generation: number, isLent: boolean) {
    this.#session = session;
    this.slot = slot;
    this.generation = generation;
    this.#isLent = isLent;
    session.addSource(slot, this);
  }

  setInterest(): void {}
  completed(): void {}

  /** A lent slot is its sharer's to give back, which it does when it closes. */
  close(): void {
    if (!this.#isLent) this.giveBack();
  }

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
