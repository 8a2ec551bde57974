/**
 * A TCP listener on the I/O thread: accepts ahead, into slots that the client lent it.
 *
 * ```
 *             armed: interest, credits left              CLOSE submitted
 *   idle ◄──────────────────────────────► accepting ──────────────────────► closing ──► released
 *    ▲                                        │ EMFILE, ENFILE, ENOBUFS, ENOMEM
 *    └── a descriptor closed, or 100 ms ── exhausted
 * ```
 *
 * A credit is a slot of the client for one connection. With none left the listener stops accepting and the
 * kernel's backlog holds what comes; so a client that does not accept costs a bounded number of descriptors.
 */
import { Readiness, Slot, slotBase } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { INTEREST_READABLE } from '../../protocol/interest.js';
import { CloseMode, PortOpcode } from '../../protocol/port-records.js';
import type { Session } from '../clients/session.js';
import type { Completion } from '../loop/port.js';
import { ECANCELED, EMFILE, ENFILE, ENOBUFS, ENOMEM } from './errnos.js';
import type { Source } from './source.js';
import { TcpStream } from './tcp-stream.js';

const EXHAUSTED: ReadonlySet<number> = new Set([EMFILE, ENFILE, ENOBUFS, ENOMEM]);

/** A slot lent for one connection. While lent it is a source that does nothing. */
class AcceptCredit implements Source {
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

  /** A connection takes the slot. */
  redeem(fd: number): TcpStream {
    this.#session.sourceCount--;
    return new TcpStream(this.#session, this.slot, this.generation, fd);
  }
}

export class TcpListener implements Source {
  readonly slot: number;
  readonly generation: number;
  readonly #session: Session;
  readonly #endpoint: number;
  readonly #credits: AcceptCredit[] = [];
  #wantsConnections = false;
  #accepting = false;
  /** Accepting failed for want of descriptors or memory; told the client, retrying. */
  #exhausted = false;
  #waitingToRetry = false;
  #failed = false;
  #closing = false;

  constructor(session: Session, slot: number, generation: number, fd: number) {
    this.#session = session;
    this.slot = slot;
    this.generation = generation;
    this.#endpoint = session.selector.port.adopt(fd, this);
    session.addSource(slot, this);
  }

  addCredit(slot: number, generation: number): void {
    const credit = new AcceptCredit(this.#session, slot, generation);
    // A credit that crossed our close on its way: nobody will use it.
    if (this.#closing) return credit.giveBack();
    this.#credits.push(credit);
    this.#arm();
  }

  setInterest(interest: number): void {
    this.#wantsConnections = (interest & INTEREST_READABLE) !== 0;
    if (this.#wantsConnections) this.#arm();
    else if (this.#accepting) this.#session.selector.port.cancel(this.#endpoint, PortOpcode.ACCEPT);
  }

  /** A descriptor was closed or some time has passed: accepting may work again. */
  retry(): void {
    this.#waitingToRetry = false;
    this.#arm();
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#session.selector.port.close(this.#endpoint, CloseMode.RESET);
  }

  completed(opcode: number, completion: Completion): void {
    if (opcode === PortOpcode.ACCEPT) this.#accepted(completion);
    else if (opcode === PortOpcode.CLOSE) this.#closed();
  }

  #arm(): void {
    const idle = !this.#accepting && !this.#closing && !this.#failed && !this.#waitingToRetry;
    if (!idle || !this.#wantsConnections || this.#credits.length === 0) return;
    this.#accepting = true;
    this.#session.selector.port.accept(this.#endpoint, this.#credits.length);
  }

  #accepted(completion: Completion): void {
    const { result, more } = completion;
    if (!more) this.#accepting = false;
    if (result >= 0) this.#connection(result, completion);
    else if (EXHAUSTED.has(result)) this.#outOfResources(result);
    else if (result !== ECANCELED) this.#fail(result);
    if (!more) this.#arm();
  }

  #connection(fd: number, completion: Completion): void {
    this.#exhausted = false;
    const credit = this.#closing ? undefined : this.#credits.shift();
    // Closing, or a kernel that accepted past the limit before it saw the cancel.
    if (!credit) return this.#session.selector.discard(fd);
    const { slot, generation } = credit.redeem(fd);
    completion.copyAddress(this.#session.words, slotBase(slot) + Slot.ADDRESS);
    this.#session.push(EventKind.ACCEPTED, slot, generation, this.slot, fd);
  }

  /** One event per episode; then quietly again and again, until it works. */
  #outOfResources(errno: number): void {
    if (!this.#exhausted) this.#session.ready(this.slot, this.generation, Readiness.FAILED, errno);
    this.#exhausted = true;
    if (this.#closing) return;
    this.#waitingToRetry = true;
    this.#session.selector.retryAccept(this);
  }

  #fail(errno: number): void {
    this.#failed = true;
    this.#session.ready(this.slot, this.generation, Readiness.FAILED, errno);
  }

  #closed(): void {
    this.#session.selector.descriptorClosed();
    for (const credit of this.#credits.splice(0)) credit.giveBack();
    this.#session.removeSource(this.slot, this.generation);
  }
}
