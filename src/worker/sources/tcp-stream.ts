/**
 * A TCP stream on the I/O thread: connects, receives ahead (stream-receiving.ts), sends what its owner wrote (stream-sending.ts), closes. Pipes
 * are served by the same machine.
 *
 * ```
 *            connect              CONNECT released, ok
 *   open ──────────────► connecting ─────────────────► established ◄── accepted
 *                            │ failed                     │ CLOSE submitted by the client
 *                            ▼                            ▼
 *                          failed ───────CLOSE────────► flushing ──all sent, or RESET, or lingerMs over──┐
 *                                                                                                        ▼
 *                        released ◄──────── the port's CLOSE is released (every operation reaped) ──── closing
 * ```
 *
 * Its owner may change meanwhile, which is drawn in protocol/transfer.ts. From DETACH_STREAM until it has *arrived* at the next
 * owner it tells nobody anything, and arms nothing; what it receives in that time is copied.
 */

import { ADDRESS_WORDS } from '../../protocol/address.js';
import { Readiness } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { INTEREST_READABLE } from '../../protocol/interest.js';
import { CloseMode, PortOpcode, ShutdownHow } from '../../protocol/port-records.js';
import { Seen } from '../../protocol/transfer.js';
import type { Session } from '../clients/session.js';
import type { Completion } from '../loop/port.js';
import { Departure } from './departure.js';
import { ECANCELED } from './errnos.js';
import { Move } from './move.js';
import type { Source } from './source.js';
import { StreamReceiving } from './stream-receiving.js';
import { StreamSending } from './stream-sending.js';

type State =
  | 'connecting'
  | 'established'
  | 'failed'
  | 'flushing'
  | 'closing'
  // A session of a named pipe ends: what is in flight is cancelled (first while it waits for a client), then all is released.
  | 'withdrawing'
  | 'disconnecting'
  | 'disconnected';

/** A named pipe's server connects to nobody in particular. */
const NOBODY = new Int32Array(ADDRESS_WORDS);

export class TcpStream implements Source {
  session: Session;
  slot: number;
  generation: number;
  readonly endpoint: number;
  readonly receiving = new StreamReceiving(this);
  readonly sending = new StreamSending(this);
  move: Move | undefined;
  #state: State;

  /** `remote`: connect to it; without it the descriptor is an accepted connection. */
  constructor(session: Session, slot: number, generation: number, fd: number, remote?: Int32Array) {
    this.session = session;
    this.slot = slot;
    this.generation = generation;
    this.endpoint = session.selector.port.adopt(fd, this);
    this.#state = remote ? 'connecting' : 'established';
    if (remote) session.selector.port.connect(this.endpoint, remote);
    session.addSource(slot, this);
  }

  get state(): State {
    return this.#state;
  }

  get maySend(): boolean {
    return this.#state === 'established' || this.#state === 'flushing';
  }

  /** Whether its owner has everything that came before, and is told what comes. */
  get isAtHome(): boolean {
    return this.move === undefined || this.move.arrived;
  }

  get #isEnding(): boolean {
    return this.#state === 'flushing' || this.#state === 'closing';
  }

  setInterest(interest: number): void {
    this.receiving.want((interest & INTEREST_READABLE) !== 0);
  }

  send(name: number): void {
    this.sending.send(name);
  }

  shutdown(how: number): void {
    if (this.#state !== 'established') return;
    if (how !== ShutdownHow.WRITE) {
      this.session.selector.port.shutdown(this.endpoint, ShutdownHow.READ);
      this.receiving.shutdown();
    }
    if (how !== ShutdownHow.READ) this.sending.shutdown();
  }

  close(mode: number): void {
    if (this.#state === 'closing') {
      // A second close of the endpoint would be rejected; the flush is over anyway.
      return;
    }
    if (!this.maySend) mode = CloseMode.RESET;
    this.receiving.unstarve();
    if (mode === CloseMode.RESET) {
      this.sending.giveBackUnsent(ECANCELED);
      return this.#submitClose(CloseMode.RESET);
    }
    if (this.#state === 'flushing') return;
    this.#state = 'flushing';
    this.receiving.stop();
    this.session.selector.linger.add(this);
    this.sending.flush();
    this.sending.settle();
  }

  /** It was to close when all was sent, and all is. */
  flushed(): void {
    this.#submitClose(CloseMode.FLUSHED);
  }

  // -- sessions of a named pipe's server end ------------------------------------------------------------

  /**
   * ```
   *   connecting, established, failed ──disconnect──► withdrawing, disconnecting ──all released──► disconnected ──reconnect──► connecting
   * ```
   */
  disconnect(): void {
    if (this.#isEnding) return;
    const { port } = this.session.selector;
    this.receiving.unstarve();
    this.sending.giveBackUnsent(ECANCELED);
    this.#dropLate();
    if (this.#state === 'connecting') {
      this.#state = 'withdrawing';
      return port.cancel(this.endpoint, PortOpcode.CONNECT);
    }
    this.#state = 'disconnecting';
    this.receiving.cancel();
    this.sending.cancel();
    port.shutdown(this.endpoint, ShutdownHow.SESSION);
    this.#sessionOver();
  }

  reconnect(): void {
    if (this.#state !== 'disconnected') return;
    this.#state = 'connecting';
    this.session.selector.port.connect(this.endpoint, NOBODY);
  }

  /** Once nothing of it is in flight, nor LATE without an answer, nothing of it remains. */
  #sessionOver(): void {
    if (this.receiving.isInFlight || this.sending.isInFlight || this.#state !== 'disconnecting') return;
    if (this.move?.arrived) return;
    this.#state = 'disconnected';
    this.receiving.end = undefined;
    this.sending.startOver();
    // Else the next owner is told when it has come.
    if (this.isAtHome) this.push(EventKind.DISCONNECTED, 0);
  }

  get #isSessionOver(): boolean {
    return this.#state === 'withdrawing' || this.#state === 'disconnecting' || this.#state === 'disconnected';
  }

  /** What came for the next owner and was not told yet is of a session that is over. */
  #dropLate(): void {
    const { move } = this;
    if (move && !move.arrived) this.receiving.drop(move.late.splice(0));
  }

  // -- moving ----------------------------------------------------------------------------------------

  /** Its owner lets go of it; `seen` of what is to be told. From here on its buffers are ours, to be given back to it. */
  detach(seen: number): void {
    if (this.#isEnding) return;
    const { selector } = this.session;
    const late = this.receiving.leave();
    const sends = this.sending.leave();
    this.move ??= new Move();
    // Else the receive in flight is an earlier owner's, and cancelled already.
    const receiving = this.receiving.isInFlight && !this.move.receivingFor;
    if (receiving) this.receiving.cancel();
    const departure = new Departure(this.session, this.slot, this.generation, sends, receiving);
    this.sending.left(departure);
    // Behind what the owner has not acknowledged.
    this.move.late.push(...late);
    this.move.left(departure, seen, receiving);
    selector.transfers.add(this, departure);
    if (!this.#isSessionOver) return;
    this.#dropLate();
    this.#sessionOver();
  }

  /** It has an owner again, in whose free slot it is from now on. */
  attach(session: Session, slot: number, generation: number): void {
    this.passTo(session, slot, generation);
    const move = this.move as Move;
    move.homeless = false;
    if (!move.receivingFor) this.#arrive(move);
  }

  /** Nobody had asked for it yet, and somebody else may now: a connection that was accepted, and no more. */
  passTo(session: Session, slot: number, generation: number): void {
    this.session = session;
    this.slot = slot;
    this.generation = generation;
    session.addSource(slot, this);
  }

  /** As {@link passTo}, but there is nobody. */
  abandon(): void {
    this.move = new Move();
    this.move.homeless = true;
    this.close(CloseMode.RESET);
  }

  /** The owner has the data of a LATE event. */
  lateTaken(): boolean {
    if (!this.move?.arrived || this.move.late.length === 0) return false;
    this.move = undefined;
    this.#sessionOver();
    return true;
  }

  #arrive(move: Move): void {
    if (this.#isEnding) return;
    const { session, slot, generation, sending } = this;
    const { end } = this.receiving;
    move.arrived = true;
    if (move.late.length > 0) session.late(slot, generation, move.late);
    if (this.#isSessionOver) {
      if (this.#state === 'disconnected' && !move.hasSeen(Seen.SESSION_END)) this.push(EventKind.DISCONNECTED, 0);
      this.move = undefined;
      return;
    }
    if (end !== undefined && !move.hasSeen(Seen.END)) this.push(EventKind.END, end);
    if (this.#state === 'failed') {
      if (!move.hasSeen(Seen.CONNECT)) session.ready(slot, generation, Readiness.FAILED, sending.failure);
    } else {
      if (this.#state === 'established' && !move.hasSeen(Seen.CONNECT))
        session.ready(slot, generation, Readiness.CONNECTED);
      if (sending.failure !== 0 && !move.hasSeen(Seen.FAILURE))
        session.ready(slot, generation, Readiness.SEND_FAILED, sending.failure);
    }
    sending.tellCarried();
    if (move.late.length === 0) this.move = undefined;
    this.receiving.arm();
  }

  // -- completions -----------------------------------------------------------------------------------

  completed(opcode: number, completion: Completion): void {
    switch (opcode) {
      case PortOpcode.RECEIVE:
        this.receiving.completed(completion);
        return this.#sessionOver();
      case PortOpcode.SEND:
        this.sending.completed(completion.result);
        return this.#sessionOver();
      case PortOpcode.CONNECT:
        return this.#connected(completion.result);
      case PortOpcode.CLOSE:
        return this.#closed();
    }
  }

  /** The receive that was in flight is no more. */
  receiveReleased(): void {
    const { move } = this;
    move?.receiveReleased();
    if (move && !move.arrived && !move.homeless) this.#arrive(move);
    // After ENOBUFS too, when others took the buffers of its group: arming finds it another one, or lets it wait.
    else this.receiving.arm();
  }

  #connected(result: number): void {
    if (this.#state === 'withdrawing') {
      // Also a client that came at the last moment.
      this.#state = 'disconnecting';
      this.session.selector.port.shutdown(this.endpoint, ShutdownHow.SESSION);
      return this.#sessionOver();
    }
    if (this.#state !== 'connecting') return;
    this.#state = result === 0 ? 'established' : 'failed';
    this.sending.refuse(result);
    if (this.isAtHome) {
      const bit = result === 0 ? Readiness.CONNECTED : Readiness.FAILED;
      this.session.ready(this.slot, this.generation, bit, result);
    }
    this.receiving.arm();
    this.sending.flush();
  }

  #submitClose(mode: number): void {
    this.#state = 'closing';
    const { linger, port } = this.session.selector;
    linger.remove(this);
    port.close(this.endpoint, mode);
  }

  #closed(): void {
    const { selector } = this.session;
    selector.descriptorClosed();
    if (this.move?.homeless) selector.transfers.ended(this);
    else this.session.removeSource(this.slot, this.generation);
  }

  push(kind: number, a: number, b = 0): void {
    this.session.push(kind, this.slot, this.generation, a, b);
  }
}
