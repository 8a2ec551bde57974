/**
 * One client's part in a TCP listener: the slots that it lent for connections, and the connections that it was dealt and has not claimed.
 *
 * ```
 *   dealt: ACCEPTED, CLAIM pending ──the client's accept(): claimed──► its own
 *                        └──it closes, dies or stalls: expired──► dealt to another sharer, its slot RELEASED
 * ```
 *
 * Both edges are one swap (atomics/claim.ts), so no connection has two owners, and none is lost with a thread that had not
 * asked for it.
 */
import { Offer } from '../../atomics/claim.js';
import { Readiness, Slot, slotBase } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { INTEREST_READABLE } from '../../protocol/interest.js';
import type { Session } from '../clients/session.js';
import type { Dealable } from './dealer.js';
import { EmptySlot } from './empty-slot.js';
import type { Source } from './source.js';
import type { TcpListener } from './tcp-listener.js';
import type { TcpStream } from './tcp-stream.js';

/** A connection with its peer's address. */
export interface Connection {
  /** Undefined while it was never dealt. */
  readonly stream: TcpStream | undefined;
  readonly fd: number;
  readonly address: Int32Array;
}

interface Dealt extends Connection {
  readonly slot: number;
  readonly generation: number;
  readonly sinceMs: number;
}

export class Sharer implements Source, Dealable {
  readonly isStalled = false;
  readonly slot: number;
  readonly generation: number;
  readonly session: Session;
  readonly #listener: TcpListener;
  readonly #credits: EmptySlot[] = [];
  /** In the order in which they are claimed. */
  #dealt: Dealt[] = [];
  #wantsConnections = false;
  #closing = false;

  constructor(listener: TcpListener, session: Session, slot: number, generation: number) {
    this.#listener = listener;
    this.session = session;
    this.slot = slot;
    this.generation = generation;
    session.addSource(slot, this);
  }

  /** Whether it is to be dealt connections. */
  get isEligible(): boolean {
    return this.#wantsConnections && this.#credits.length > 0;
  }

  get credits(): number {
    return this.#credits.length;
  }

  /** Connections dealt and not claimed. */
  get behind(): number {
    const { claims } = this.session;
    while (this.#dealt.length > 0) {
      const { slot, generation } = this.#dealt[0] as Dealt;
      if (claims.isPending(slot, generation, Offer.DEALT)) break;
      this.#dealt.shift();
    }
    return this.#dealt.length;
  }

  addCredit(slot: number, generation: number): void {
    const credit = EmptySlot.lent(this.session, slot, generation);
    // A credit that crossed our close on its way: nobody will use it.
    if (this.#closing) return credit.giveBack();
    this.#credits.push(credit);
    this.#listener.changed();
  }

  setInterest(interest: number): void {
    this.#wantsConnections = (interest & INTEREST_READABLE) !== 0;
    this.#listener.changed();
  }

  completed(): void {}

  /** It gets a connection. There is a credit. */
  deal(connection: Connection): void {
    const { fd, address } = connection;
    const credit = this.#credits.shift() as EmptySlot;
    const { slot, generation } = credit;
    const { words, claims } = this.session;
    claims.offer(slot, generation, Offer.DEALT);
    words.set(address, slotBase(slot) + Slot.ADDRESS);
    const stream = credit.redeem(connection);
    this.#dealt.push({ stream, fd, address, slot, generation, sinceMs: performance.now() });
    this.session.push(EventKind.ACCEPTED, slot, generation, this.slot, fd);
  }

  /** Accepting has paused, or ended. */
  fail(errno: number): void {
    this.session.ready(this.slot, this.generation, Readiness.FAILED, errno);
  }

  /** What it was dealt and will never claim, or has not within `olderThanMs`: at most `limit`, the oldest first. */
  takeBack(olderThanMs = 0, limit = Number.POSITIVE_INFINITY): Connection[] {
    const beforeMs = performance.now() - olderThanMs;
    const back: Connection[] = [];
    while (this.behind > 0 && back.length < limit) {
      const dealt = this.#dealt[0] as Dealt;
      if (olderThanMs > 0 && dealt.sinceMs > beforeMs) break;
      this.#dealt.shift();
      const { slot, generation } = dealt;
      if (this.session.claims.expire(slot, generation, Offer.DEALT) !== 0) continue;
      // From here on nobody has the connection.
      this.session.removeSource(dealt.slot, dealt.generation);
      back.push(dealt);
    }
    return back;
  }

  /** The client ends: before its sources are closed. */
  leave(): void {
    this.close();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#wantsConnections = false;
    const unclaimed = this.takeBack();
    for (const credit of this.#credits.splice(0)) credit.giveBack();
    this.#listener.left(this, unclaimed);
  }

  /** Last of all. */
  released(): void {
    this.session.removeSource(this.slot, this.generation);
  }
}
