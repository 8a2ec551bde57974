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

import { Readiness } from '../../protocol/client-memory.js';
import { INTEREST_READABLE } from '../../protocol/interest.js';
import { CloseMode, PortOpcode, ShutdownHow } from '../../protocol/port-records.js';
import type { Session } from '../clients/session.js';
import type { Completion } from '../loop/port.js';
import { Departure } from './departure.js';
import { ECANCELED } from './errnos.js';
import { Move } from './move.js';
import { disconnect, reconnect, sessionOver, withdrawn } from './pipe-session.js';
import type { Source } from './source.js';
import type { StreamDiscarding } from './stream-discarding.js';
import { closeReading, readingReleased } from './stream-halves.js';
import { StreamReceiving } from './stream-receiving.js';
import { StreamSending } from './stream-sending.js';
import { StreamWriter } from './stream-writer.js';

type State =
  | 'connecting'
  | 'established'
  | 'failed'
  | 'flushing'
  | 'closing'
  | 'closed'
  // A session of a named pipe ends: what is in flight is cancelled (first while it waits for a client), then all is released.
  | 'withdrawing'
  | 'disconnecting'
  | 'disconnected';

export class TcpStream implements Source {
  session: Session;
  slot: number;
  generation: number;
  readonly endpoint: number;
  readonly receiving = new StreamReceiving(this);
  readonly sending = new StreamSending(this);
  move: Move | undefined;
  /** Once it was split: the writing half, which has an owner of its own. This is the reading half then. */
  writer: StreamWriter | undefined;
  /** Once the reading half of a split one is closed: what becomes of what comes. */
  discarding: StreamDiscarding | undefined;
  state: State;
  /** Whether its owner has closed it, and whether nothing of that remains. */
  reading: 'open' | 'closed' | 'over' = 'open';

  /** `remote`: connect to it; without it the descriptor is an accepted connection. */
  constructor(session: Session, slot: number, generation: number, fd: number, remote?: Int32Array) {
    this.session = session;
    this.slot = slot;
    this.generation = generation;
    this.endpoint = session.selector.port.adopt(fd, this);
    this.state = remote ? 'connecting' : 'established';
    if (remote) session.selector.port.connect(this.endpoint, remote);
    session.addSource(slot, this);
  }

  get maySend(): boolean {
    return this.state === 'established' || this.state === 'flushing';
  }

  /** Whether its owner has everything that came before, and is told what comes. */
  get isAtHome(): boolean {
    return this.move === undefined || this.move.arrived;
  }

  get isHomeless(): boolean {
    return this.move?.homeless === true;
  }

  /** Whether its owner is told how writing goes. */
  get hears(): boolean {
    return this.isAtHome && this.state === 'established';
  }

  /** Whether what is received is anybody's. */
  get isReading(): boolean {
    return this.state === 'established' && this.reading === 'open';
  }

  /** Whether the endpoint may be named to the port. */
  get isOpen(): boolean {
    return this.state !== 'closing' && this.state !== 'closed';
  }

  /** Its owner has closed it. */
  get #isEnding(): boolean {
    return this.writer ? this.reading !== 'open' : !this.isOpen || this.state === 'flushing';
  }

  unsee(): void {
    this.move?.unsee();
  }

  setInterest(interest: number): void {
    this.receiving.want((interest & INTEREST_READABLE) !== 0);
  }

  send(name: number): void {
    // A reader has nothing to write; its buffer's name means nothing in the writer's memory.
    if (this.writer) this.session.sent(this.slot, this.generation, name, 0);
    else this.sending.send(name);
  }

  shutdown(how: number): void {
    if (this.state !== 'established') return;
    if (how !== ShutdownHow.WRITE) {
      this.session.selector.port.shutdown(this.endpoint, ShutdownHow.READ);
      this.receiving.shutdown();
    }
    if (how !== ShutdownHow.READ && !this.writer) this.sending.shutdown();
  }

  close(mode: number): void {
    if (this.writer && !this.writer.isOver) return closeReading(this, mode);
    if (this.state === 'closed') return this.readingOver();
    this.reading = 'closed';
    // A second close of the endpoint would be rejected; the flush is over anyway.
    if (this.state === 'closing') return;
    if (!this.maySend) mode = CloseMode.RESET;
    this.receiving.unstarve();
    if (mode === CloseMode.RESET) {
      this.sending.giveBackUnsent(ECANCELED);
      return this.submitClose(CloseMode.RESET);
    }
    if (this.state === 'flushing') return;
    this.state = 'flushing';
    this.receiving.stop();
    this.session.selector.linger.add(this);
    this.sending.flush();
    this.sending.settle();
  }

  /** It was to close when all was sent, and all is. */
  flushed(): void {
    if (!this.writer) this.submitClose(CloseMode.FLUSHED);
    else if (!this.receiving.isInFlight) readingReleased(this);
  }

  /** A named pipe's server end lets its client go (pipe-session.ts). */
  disconnect(): void {
    if (!this.#isEnding && !this.writer) disconnect(this);
  }

  reconnect(): void {
    if (this.state === 'disconnected') reconnect(this);
  }

  // -- moving ----------------------------------------------------------------------------------------

  /** Its owner lets go of it; `seen` of what is to be told. From here on its buffers are ours, to be given back to it. */
  detach(seen: number): void {
    if (this.#isEnding) return;
    const { selector } = this.session;
    const late = this.receiving.leave();
    const sends = this.writer ? undefined : this.sending.leave();
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
    return true;
  }

  #arrive(move: Move): void {
    if (this.#isEnding) return;
    move.arrive(this);
    if (!this.writer) this.sending.tellCarried();
    if (move.late.length === 0) this.move = undefined;
    this.receiving.arm();
  }

  /** Two owners from here on (stream-halves.ts); nobody's for now. False: it is not connected, or was split before. */
  split(slot: number, generation: number, seen: number): boolean {
    if (this.state !== 'established' || this.writer) return false;
    const writer = new StreamWriter(this, slot, generation);
    this.detach(seen);
    this.writer = writer;
    writer.detach(seen);
    return true;
  }

  // -- completions -----------------------------------------------------------------------------------

  completed(opcode: number, completion: Completion): void {
    switch (opcode) {
      case PortOpcode.RECEIVE:
        (this.discarding ?? this.receiving).completed(completion);
        return sessionOver(this);
      case PortOpcode.SEND:
        this.sending.completed(completion.result);
        return sessionOver(this);
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
    if (this.reading === 'closed' && this.writer) return readingReleased(this);
    if (move && !move.arrived && !move.homeless) this.#arrive(move);
    // After ENOBUFS too, when others took the buffers of its group: arming finds it another one, or lets it wait.
    else this.receiving.arm();
  }

  #connected(result: number): void {
    if (this.state === 'withdrawing') return withdrawn(this);
    if (this.state !== 'connecting') return;
    this.state = result === 0 ? 'established' : 'failed';
    this.sending.refuse(result);
    if (this.isAtHome) {
      const bit = result === 0 ? Readiness.CONNECTED : Readiness.FAILED;
      this.session.ready(this.slot, this.generation, bit, result);
    }
    this.receiving.arm();
    this.sending.flush();
  }

  submitClose(mode: number): void {
    this.state = 'closing';
    const { linger, port } = this.session.selector;
    linger.remove(this);
    this.discarding?.unstarve();
    port.close(this.endpoint, mode);
  }

  #closed(): void {
    const { selector } = this.session;
    selector.descriptorClosed();
    this.state = 'closed';
    this.discarding?.release();
    if (!this.writer || this.reading === 'closed') this.readingOver();
    if (this.writer?.isFlushing) this.writer.release();
  }

  /** The slot goes back. */
  readingOver(): void {
    this.reading = 'over';
    if (this.isHomeless) this.session.selector.transfers.ended(this);
    else this.session.removeSource(this.slot, this.generation);
  }

  push(kind: number, a: number, b = 0): void {
    this.session.push(kind, this.slot, this.generation, a, b);
  }
}
