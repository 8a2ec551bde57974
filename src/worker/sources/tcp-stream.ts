/**
 * A TCP stream on the I/O thread: receives ahead into shared buffers, sends what the client wrote, closes.
 *
 * ```
 *            connect              CONNECT released, ok
 *   open ──────────────► connecting ─────────────────► established ◄── accepted
 *                            │ failed                     │ CLOSE submitted by the client
 *                            ▼                            ▼
 *                          failed ───────CLOSE────────► flushing ──all sent, or RESET, or lingerMs over──┐
 *                                                                                                        ▼
 *                        released ◄──────── the port's CLOSE is released (every operation reaped) ──── closing
 *
 *   receiving, while established:          sending, while established or flushing:
 *     idle ──arm──► armed ──END──► ended      idle ──flush──► in flight ──error──► failed
 *      ▲              │                         ▲                │
 *      └──released────┘                         └────released────┘
 * ```
 *
 * Its owner may change meanwhile, which is drawn in protocol/transfer.ts. From DETACH_STREAM until it has *arrived* at the next
 * owner it tells nobody anything, and arms nothing; what it receives in that time is copied.
 */

import { Readiness } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { INTEREST_READABLE } from '../../protocol/interest.js';
import { CloseMode, PortOpcode, ShutdownHow } from '../../protocol/port-records.js';
import { Seen } from '../../protocol/transfer.js';
import type { BufferHolder } from '../buffers/receive-pool.js';
import type { Session } from '../clients/session.js';
import type { Completion } from '../loop/port.js';
import { Departure } from './departure.js';
import { ECANCELED, ECONNRESET, ENOBUFS } from './errnos.js';
import { Move } from './move.js';
import { SendList } from './send-list.js';
import type { Source } from './source.js';

type State = 'connecting' | 'established' | 'failed' | 'flushing' | 'closing';

/** In one word: there may be tens of thousands of streams, most of them idle. */
const Flag = {
  /** Its owner is interested in data. */
  WANTS_DATA: 1,
  /** A receive is in flight. */
  RECEIVING: 2,
  /** Its limit may grow. */
  EXTENDABLE: 4,
  /** It would receive, were it not for its quota. */
  AT_QUOTA: 8,
  FLUSH_QUEUED: 16,
  /** Writing ends with the last byte that is unsent. */
  SHUTDOWN_QUEUED: 32,
} as const;

export class TcpStream implements Source, BufferHolder {
  slot: number;
  generation: number;
  heldBuffers = 0;
  copiedBuffers = 0;
  #session: Session;
  readonly #endpoint: number;
  #state: State;
  #flags = 0;
  /** Buffers that the receive in flight may still fill; less than none when a kernel went beyond its limit. */
  #granted = 0;
  /** How receiving ended: 0 or a negative errno. */
  #end: number | undefined;
  /** What its owner wrote; made by the first write. */
  #sends: SendList | undefined;
  /** In flight. */
  #sending: SendList | undefined;
  /** Why connecting or sending failed, or 0. */
  #failure = 0;
  #move: Move | undefined;

  /** `remote`: connect to it; without it the descriptor is an accepted connection. */
  constructor(session: Session, slot: number, generation: number, fd: number, remote?: Int32Array) {
    this.#session = session;
    this.slot = slot;
    this.generation = generation;
    this.#endpoint = session.selector.port.adopt(fd, this);
    this.#state = remote ? 'connecting' : 'established';
    if (remote) session.selector.port.connect(this.#endpoint, remote);
    session.addSource(slot, this);
  }

  setInterest(interest: number): void {
    this.#set(Flag.WANTS_DATA, (interest & INTEREST_READABLE) !== 0);
    if (this.#has(Flag.WANTS_DATA)) this.arm();
    else this.#stopReceiving();
  }

  /** Receives if the client wants data, its quota allows it and the pool has a buffer. */
  arm(): void {
    if (this.#state !== 'established' || !this.#has(Flag.WANTS_DATA) || this.#end !== undefined || !this.#isAtHome)
      return;
    if (this.#has(Flag.RECEIVING)) return this.#extend();
    const { receivePool, selector } = this.#session;
    this.#setAtQuota(receivePool.allowance(this) <= 0);
    if (this.#has(Flag.AT_QUOTA)) return;
    const offer = receivePool.offer(this);
    if (!offer) return;
    this.#set(Flag.RECEIVING, true);
    this.#granted = offer.limit;
    this.#set(Flag.EXTENDABLE, offer.extendable);
    selector.port.receive(this.#endpoint, offer.group, offer.limit);
  }

  /** Buffers came back: the receive in flight may fill as many more, so that with a steady reader it never ends. */
  #extend(): void {
    const { receivePool, selector } = this.#session;
    const more = receivePool.allowance(this) - this.#granted;
    if (!this.#has(Flag.EXTENDABLE) || !receivePool.isWorthExtending(more)) return;
    this.#granted += more;
    selector.port.extend(this.#endpoint, more);
  }

  /** The client wrote: the buffer is in order behind those before it. */
  send(name: number): void {
    if (this.#failure !== 0) {
      this.#session.sent(this.slot, this.generation, name, this.#state === 'failed' ? ECANCELED : this.#failure);
      return;
    }
    this.#sends ??= new SendList(this.#session, this.slot, this.generation);
    this.#sends.add(name);
    if (this.#has(Flag.FLUSH_QUEUED)) return;
    this.#set(Flag.FLUSH_QUEUED, true);
    this.#session.selector.flushLater(this);
  }

  /**
   * Sends what is unsent, up to the pieces that one operation takes, earlier owners' first. Called once per turn, so small
   * writes coalesce.
   */
  flush(): void {
    this.#set(Flag.FLUSH_QUEUED, false);
    if (this.#sending || (this.#state !== 'established' && this.#state !== 'flushing')) return;
    const list = this.#move?.firstUnsent?.sends ?? this.#sends;
    if (!list || list.isEmpty) return;
    if (list.submit(this.#session.selector.port, this.#endpoint)) this.#sending = list;
    else this.#corrupt(list);
  }

  shutdown(how: number): void {
    if (this.#state !== 'established') return;
    if (how !== ShutdownHow.WRITE) {
      this.#session.selector.port.shutdown(this.#endpoint, ShutdownHow.READ);
      this.#stopReceiving();
      this.#end ??= 0;
    }
    if (how !== ShutdownHow.READ) this.#set(Flag.SHUTDOWN_QUEUED, true);
    this.#sendingIdle();
  }

  close(mode: number): void {
    if (this.#state === 'closing') {
      // A second close of the endpoint would be rejected; the flush is over anyway.
      return;
    }
    if (this.#state === 'connecting' || this.#state === 'failed') mode = CloseMode.RESET;
    this.#session.receivePool.unstarve(this);
    this.#setAtQuota(false);
    if (mode === CloseMode.RESET) {
      this.#giveBackUnsent(ECANCELED);
      return this.#submitClose(CloseMode.RESET);
    }
    if (this.#state === 'flushing') return;
    this.#state = 'flushing';
    this.#stopReceiving();
    this.#session.selector.linger.add(this);
    this.flush();
    this.#sendingIdle();
  }

  // -- moving ----------------------------------------------------------------------------------------

  /** Its owner lets go of it; `seen` of what is to be told. From here on its buffers are ours, to be given back to it. */
  detach(seen: number): void {
    if (this.#state === 'flushing' || this.#state === 'closing') return;
    const { receivePool, selector } = this.#session;
    receivePool.unstarve(this);
    this.#setAtQuota(false);
    this.#set(Flag.WANTS_DATA, false);
    this.#sends?.seal();
    this.#move ??= new Move();
    const move = this.#move;
    // Else the receive in flight is an earlier owner's, and cancelled already.
    const receiving = this.#has(Flag.RECEIVING) && !move.receivingFor;
    if (receiving) selector.port.cancel(this.#endpoint, PortOpcode.RECEIVE);
    const departure = new Departure(this.#session, this.slot, this.generation, this.#sends, receiving);
    this.#sends = undefined;
    // Behind what the owner has not acknowledged.
    move.late.push(...receivePool.takeBack(this));
    move.left(departure, seen, receiving);
    selector.transfers.add(this, departure);
  }

  /** It has an owner again, in whose free slot it is from now on. */
  attach(session: Session, slot: number, generation: number): void {
    this.#session = session;
    this.slot = slot;
    this.generation = generation;
    session.addSource(slot, this);
    const move = this.#move as Move;
    move.homeless = false;
    if (!move.receivingFor) this.#arrive(move);
  }

  /** Nobody had asked for it yet, and somebody else may now: a connection that was accepted, and no more. */
  passTo(session: Session, slot: number, generation: number): void {
    this.#session = session;
    this.slot = slot;
    this.generation = generation;
    session.addSource(slot, this);
  }

  /** As {@link passTo}, but there is nobody. */
  abandon(): void {
    this.#move = new Move();
    this.#move.homeless = true;
    this.close(CloseMode.RESET);
  }

  /** The owner has the data of a LATE event. */
  lateTaken(): boolean {
    if (!this.#move?.arrived || this.#move.late.length === 0) return false;
    this.#move.late = [];
    this.#forgetMove();
    return true;
  }

  #arrive(move: Move): void {
    if (this.#state === 'flushing' || this.#state === 'closing') return;
    const { slot, generation } = this;
    const session = this.#session;
    move.arrived = true;
    if (move.late.length > 0) session.late(slot, generation, move.late);
    if (this.#end !== undefined && !move.hasSeen(Seen.END)) this.#push(EventKind.END, this.#end);
    if (this.#state === 'failed') {
      if (!move.hasSeen(Seen.CONNECT)) session.ready(slot, generation, Readiness.FAILED, this.#failure);
    } else {
      if (this.#state === 'established' && !move.hasSeen(Seen.CONNECT))
        session.ready(slot, generation, Readiness.CONNECTED);
      if (this.#failure !== 0 && !move.hasSeen(Seen.FAILURE))
        session.ready(slot, generation, Readiness.SEND_FAILED, this.#failure);
    }
    session.carried(slot, generation, move.unsentBytes);
    this.#forgetMove();
    this.arm();
  }

  /** Whether its owner has everything that came before, and is told what comes. */
  get #isAtHome(): boolean {
    return this.#move === undefined || this.#move.arrived;
  }

  #forgetMove(): void {
    if (this.#move?.isOver) this.#move = undefined;
  }

  // -- completions -----------------------------------------------------------------------------------

  completed(opcode: number, completion: Completion): void {
    switch (opcode) {
      case PortOpcode.RECEIVE:
        return this.#received(completion);
      case PortOpcode.SEND:
        return this.#sendDone(completion.result);
      case PortOpcode.CONNECT:
        return this.#connected(completion.result);
      case PortOpcode.CLOSE:
        return this.#closed();
    }
  }

  #received({ result, more, segment, index }: Completion): void {
    const { receivePool, selector } = this.#move?.receivingFor?.session ?? this.#session;
    if (!more) this.#set(Flag.RECEIVING, false);
    if (result > 0) {
      this.#granted--;
      selector.counters.bytesReceived += result;
      const name = receivePool.filled(segment, index, result, this);
      // Nobody will read what arrives after the client's close: the buffer goes straight home.
      if (this.#state !== 'established') receivePool.recycle(name, false);
      else if (this.#isAtHome) this.#push(EventKind.DATA, name, result);
      else this.#move?.late.push(receivePool.takeOut(name));
    } else if (result !== ENOBUFS && result !== ECANCELED && this.#end === undefined) {
      this.#end = result;
      if (this.#state === 'established' && this.#isAtHome) this.#push(EventKind.END, result);
    }
    if (more) return;
    this.#move?.receiveReleased();
    if (this.#move && !this.#move.arrived && !this.#move.homeless) this.#arrive(this.#move);
    // After ENOBUFS too, when others took the buffers of its group: arming finds it another one, or lets it wait.
    else this.arm();
  }

  #sendDone(result: number): void {
    const errno = Math.min(result, 0);
    if (errno === 0) this.#session.selector.counters.bytesSent += result;
    this.#sending?.sent(errno);
    this.#sending = undefined;
    if (errno !== 0) this.#sendFailed(errno);
    const move = this.#move;
    if (move) {
      move.forgetSent();
      if (move.arrived && this.#state === 'established') {
        this.#session.carried(this.slot, this.generation, move.unsentBytes);
        if (errno !== 0) this.#session.ready(this.slot, this.generation, Readiness.SEND_FAILED, errno);
      }
      this.#forgetMove();
    }
    this.flush();
    this.#sendingIdle();
  }

  #sendFailed(errno: number): void {
    this.#failure = errno;
    if (this.#move) this.#move.seen &= ~Seen.FAILURE;
    this.#giveBackUnsent(errno);
  }

  /** The writer's memory is corrupt. If the stream is its own it is reset with it; else it has passed to another owner, who is told. */
  #corrupt(list: SendList): void {
    const session = list.session;
    if (session !== this.#session || this.#move?.homeless) {
      this.#sendFailed(ECONNRESET);
      session.selector.port.shutdown(this.#endpoint, ShutdownHow.BOTH);
      if (this.#move?.arrived) this.#session.ready(this.slot, this.generation, Readiness.SEND_FAILED, ECONNRESET);
    }
    session.detach();
  }

  /** Once nothing is left to send: what was queued behind the sends. */
  #sendingIdle(): void {
    if (this.#sends?.isEmpty === false || this.#move?.firstUnsent) return;
    if (this.#state === 'flushing') return this.#submitClose(CloseMode.FLUSHED);
    if (this.#has(Flag.SHUTDOWN_QUEUED) && this.#state === 'established') {
      this.#set(Flag.SHUTDOWN_QUEUED, false);
      this.#session.selector.port.shutdown(this.#endpoint, ShutdownHow.WRITE);
    }
  }

  #connected(result: number): void {
    if (this.#state !== 'connecting') return;
    this.#state = result === 0 ? 'established' : 'failed';
    this.#failure = result;
    if (this.#isAtHome) {
      const bit = result === 0 ? Readiness.CONNECTED : Readiness.FAILED;
      this.#session.ready(this.slot, this.generation, bit, result);
    }
    this.arm();
    this.flush();
  }

  #stopReceiving(): void {
    this.#session.receivePool.unstarve(this);
    this.#setAtQuota(false);
    if (this.#has(Flag.RECEIVING)) this.#session.selector.port.cancel(this.#endpoint, PortOpcode.RECEIVE);
  }

  #submitClose(mode: number): void {
    this.#state = 'closing';
    this.#session.selector.linger.remove(this);
    this.#session.selector.port.close(this.#endpoint, mode);
  }

  #closed(): void {
    const { selector } = this.#session;
    selector.descriptorClosed();
    if (this.#move?.homeless) selector.transfers.ended(this);
    else this.#session.removeSource(this.slot, this.generation);
  }

  /** All but what is in flight. */
  #giveBackUnsent(errno: number): void {
    this.#move?.giveBackUnsent(errno);
    this.#sends?.giveBackUnsent(errno);
  }

  #setAtQuota(atQuota: boolean): void {
    if (atQuota === this.#has(Flag.AT_QUOTA)) return;
    this.#set(Flag.AT_QUOTA, atQuota);
    this.#session.receivePool.countAtQuota(atQuota ? 1 : -1);
  }

  #has(flag: number): boolean {
    return (this.#flags & flag) !== 0;
  }

  #set(flag: number, on: boolean): void {
    this.#flags = on ? this.#flags | flag : this.#flags & ~flag;
  }

  #push(kind: number, a: number, b = 0): void {
    this.#session.push(kind, this.slot, this.generation, a, b);
  }
}
