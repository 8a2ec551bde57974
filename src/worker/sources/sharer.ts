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
import { ADDRESS_WORDS } from '../../protocol/address.js';
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

/** Its peer's address is in its slot. */
interface Dealt extends Omit<Connection, 'address'> {
  readonly slot: number;
  readonly generation: number;
  readonly sinceMs: number;
}

export class Sharer implements Source, Dealable {
  readonly slot: number;
  readonly generation: number;
  readonly session: Session;
  readonly #listener: TcpListener;
  readonly #credits: EmptySlot[] = [];
  /** In the order in which they are claimed. Those that are claimed by now go when it is looked at, and with every credit. */
  readonly #dealt: Dealt[] = [];
  #wantsConnections = false;
  #stalled = false;
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

  /** Something was taken back from it, and it has not been heard of since: others come first. */
  get isStalled(): boolean {
    return this.#stalled;
  }

  /** Since when the connection lies there that was dealt first and is not claimed; undefined without one. */
  get behindSinceMs(): number | undefined {
    return this.behind > 0 ? this.#dealt[0]?.sinceMs : undefined;
  }

  get credits(): number {
    return this.#credits.length;
  }

  /** Connections dealt and not claimed. */
  get behind(): number {
    this.#forgetClaimed();
    return this.#dealt.length;
  }

  addCredit(slot: number, generation: number): void {
    const credit = EmptySlot.lent(this.session, slot, generation);
    // A credit that crossed our close on its way: nobody will use it.
    if (this.#closing) return credit.giveBack();
    // Whoever accepts lends another slot: it is alive.
    this.#stalled = false;
    // Nobody asks a sharer that is the only one how far it is behind.
    this.#forgetClaimed();
    this.#credits.push(credit);
    this.#listener.changed();
  }

  setInterest(interest: number): void {
    this.#wantsConnections = (interest & INTEREST_READABLE) !== 0;
    this.#listener.changed();
  }

  completed(): void {}

  /** It gets a connection, of which the address may change afterwards. There is a credit. */
  deal(connection: Connection): void {
    const { fd, address } = connection;
    const credit = this.#credits.shift() as EmptySlot;
    const { slot, generation } = credit;
    const { words, claims } = this.session;
    claims.offer(slot, generation, Offer.DEALT);
    words.set(address, slotBase(slot) + Slot.ADDRESS);
    const stream = credit.redeem(connection);
    this.#dealt.push({ stream, fd, slot, generation, sinceMs: performance.now() });
    this.session.push(EventKind.ACCEPTED, slot, generation, this.slot, fd);
  }

  /** Accepting has paused, or ended. */
  fail(errno: number): void {
    this.session.ready(this.slot, this.generation, Readiness.FAILED, errno);
  }

  /**
   * The connection that it was dealt first and has not claimed, and now cannot any more: nobody has it. Undefined without one. One swap, and the
   * slot goes back: so it costs little to take a connection back as soon as somebody else would claim it sooner.
   */
  takeBack(): Connection | undefined {
    for (let dealt = this.#dealt.shift(); dealt; dealt = this.#dealt.shift()) {
      const { stream, fd, slot, generation } = dealt;
      if (this.session.claims.expire(slot, generation, Offer.DEALT) !== undefined) continue;
      this.#stalled = true;
      const at = slotBase(slot) + Slot.ADDRESS;
      const address = this.session.words.slice(at, at + ADDRESS_WORDS);
      this.session.removeSource(slot, generation);
      return { stream, fd, address };
    }
    return undefined;
  }

  /** Moves to another client: the listener waits for that. False: it does so already. */
  detach(): boolean {
    if (!this.session.selector.kept.add(this.#listener, this.session, this.slot, this.generation)) return false;
    this.close();
    return true;
  }

  /** The client ends: before its sources are closed. */
  leave(): void {
    this.close();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#wantsConnections = false;
    const unclaimed: Connection[] = [];
    for (let one = this.takeBack(); one; one = this.takeBack()) unclaimed.push(one);
    for (const credit of this.#credits.splice(0)) credit.giveBack();
    this.#listener.left(this, unclaimed);
  }

  /** Last of all. */
  released(): void {
    this.session.removeSource(this.slot, this.generation);
  }

  #forgetClaimed(): void {
    const { claims } = this.session;
    while (this.#dealt.length > 0) {
      const { slot, generation } = this.#dealt[0] as Dealt;
      if (claims.isPending(slot, generation, Offer.DEALT)) break;
      this.#dealt.shift();
    }
  }
}
