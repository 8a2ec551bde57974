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
 */

import { Readiness } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { INTEREST_READABLE } from '../../protocol/interest.js';
import { CloseMode, PIECES_PER_SEND, PortOpcode, ShutdownHow } from '../../protocol/port-records.js';
import type { BufferHolder } from '../buffers/receive-pool.js';
import { NO_BUFFER } from '../clients/send-buffers.js';
import type { Session } from '../clients/session.js';
import type { Completion } from '../loop/port.js';
import { ECANCELED, ENOBUFS } from './errnos.js';
import type { Source } from './source.js';

type State = 'connecting' | 'established' | 'failed' | 'flushing' | 'closing';

/** Of the pieces of the send that is being put together. */
const lengths = new Int32Array(PIECES_PER_SEND);

export class TcpStream implements Source, BufferHolder {
  readonly slot: number;
  readonly generation: number;
  heldBuffers = 0;
  copiedBuffers = 0;
  readonly #session: Session;
  readonly #endpoint: number;
  #state: State;
  #wantsData = false;
  #receiving = false;
  /** Buffers that the receive in flight may still fill; less than none when a kernel went beyond its limit. */
  #granted = 0;
  #extendable = false;
  #receiveEnded = false;
  #atQuota = false;
  /** Send buffers in order, linked through the session's; so many of them, the first ones, are being sent. */
  #first = NO_BUFFER;
  #last = NO_BUFFER;
  #inFlight = 0;
  #flushQueued = false;
  #sendErrno = 0;
  #shutdownQueued = false;

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
    this.#wantsData = (interest & INTEREST_READABLE) !== 0;
    if (this.#wantsData) this.arm();
    else this.#stopReceiving();
  }

  /** Receives if the client wants data, its quota allows it and the pool has a buffer. */
  arm(): void {
    if (this.#state !== 'established' || !this.#wantsData || this.#receiveEnded) return;
    if (this.#receiving) return this.#extend();
    const { receivePool, selector } = this.#session;
    this.#setAtQuota(receivePool.allowance(this) <= 0);
    if (this.#atQuota) return;
    const offer = receivePool.offer(this);
    if (!offer) return;
    this.#receiving = true;
    this.#granted = offer.limit;
    this.#extendable = offer.extendable;
    selector.port.receive(this.#endpoint, offer.group, offer.limit);
  }

  /** Buffers came back: the receive in flight may fill as many more, so that with a steady reader it never ends. */
  #extend(): void {
    const { receivePool, selector } = this.#session;
    const more = receivePool.allowance(this) - this.#granted;
    if (!this.#extendable || !receivePool.isWorthExtending(more)) return;
    this.#granted += more;
    selector.port.extend(this.#endpoint, more);
  }

  /** The client wrote: the buffer is in order behind those before it. */
  send(name: number): void {
    if (this.#sendErrno !== 0 || this.#state === 'failed') {
      this.#session.sent(this.slot, this.generation, name, this.#sendErrno || ECANCELED);
      return;
    }
    if (this.#last === NO_BUFFER) this.#first = name;
    else this.#session.sendBuffers.link(this.#last, name);
    this.#last = name;
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    this.#session.selector.flushLater(this);
  }

  /** Sends what is unsent, up to the pieces that one operation takes. Called once per turn, so small writes coalesce. */
  flush(): void {
    this.#flushQueued = false;
    if (this.#inFlight > 0 || this.#first === NO_BUFFER) return;
    if (this.#state !== 'established' && this.#state !== 'flushing') return;
    const { sendBuffers, selector } = this.#session;
    let count = 0;
    for (let name = this.#first; name !== NO_BUFFER && count < PIECES_PER_SEND; name = sendBuffers.next(name)) {
      const length = sendBuffers.close(name);
      // Corrupt; the session resets this stream as well.
      if (length === undefined) return this.#session.detach();
      lengths[count++] = length;
    }
    this.#inFlight = count;
    let name = this.#first;
    selector.port.beginSend(this.#endpoint, count);
    for (let at = 0; at < count; at++, name = sendBuffers.next(name)) {
      selector.port.addPiece(sendBuffers.portSegment, sendBuffers.offset(name), lengths[at] as number);
    }
  }

  shutdown(how: number): void {
    if (this.#state !== 'established') return;
    if (how !== ShutdownHow.WRITE) {
      this.#session.selector.port.shutdown(this.#endpoint, ShutdownHow.READ);
      this.#stopReceiving();
      this.#receiveEnded = true;
    }
    if (how !== ShutdownHow.READ) this.#shutdownQueued = true;
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
    const { receivePool, selector } = this.#session;
    if (!more) this.#receiving = false;
    if (result > 0) {
      this.#granted--;
      selector.counters.bytesReceived += result;
      const name = receivePool.filled(segment, index, this);
      // Nobody will read what arrives after the client's close: the buffer goes straight home.
      if (this.#state === 'established') this.#push(EventKind.DATA, name, result);
      else receivePool.recycle(name, false);
    } else if (result === ENOBUFS) {
      // Others took the buffers of its group: arming finds it another one, or lets it wait.
      return this.arm();
    } else if (result !== ECANCELED && !this.#receiveEnded) {
      this.#receiveEnded = true;
      if (this.#state === 'established') this.#push(EventKind.END, result);
    }
    if (!more) this.arm();
  }

  #sendDone(result: number): void {
    const errno = Math.min(result, 0);
    if (errno === 0) this.#session.selector.counters.bytesSent += result;
    for (; this.#inFlight > 0; this.#inFlight--) this.#giveBackFirst(errno);
    if (errno !== 0) {
      this.#sendErrno = errno;
      this.#giveBackUnsent(errno);
    }
    this.flush();
    this.#sendingIdle();
  }

  /** Once nothing is left to send: what was queued behind the sends. */
  #sendingIdle(): void {
    if (this.#first !== NO_BUFFER) return;
    if (this.#state === 'flushing') return this.#submitClose(CloseMode.FLUSHED);
    if (this.#shutdownQueued && this.#state === 'established') {
      this.#shutdownQueued = false;
      this.#session.selector.port.shutdown(this.#endpoint, ShutdownHow.WRITE);
    }
  }

  #connected(result: number): void {
    if (this.#state !== 'connecting') return;
    this.#state = result === 0 ? 'established' : 'failed';
    if (result === 0) {
      this.#session.ready(this.slot, this.generation, Readiness.CONNECTED);
      this.arm();
      this.flush();
    } else {
      this.#session.ready(this.slot, this.generation, Readiness.FAILED, result);
    }
  }

  #stopReceiving(): void {
    this.#session.receivePool.unstarve(this);
    this.#setAtQuota(false);
    if (this.#receiving) this.#session.selector.port.cancel(this.#endpoint, PortOpcode.RECEIVE);
  }

  #submitClose(mode: number): void {
    this.#state = 'closing';
    this.#session.selector.linger.remove(this);
    this.#session.selector.port.close(this.#endpoint, mode);
  }

  #closed(): void {
    this.#session.selector.descriptorClosed();
    this.#session.removeSource(this.slot, this.generation);
  }

  #giveBackFirst(errno: number): void {
    const { sendBuffers } = this.#session;
    const name = this.#first;
    this.#first = sendBuffers.next(name);
    if (this.#first === NO_BUFFER) this.#last = NO_BUFFER;
    this.#session.sent(this.slot, this.generation, name, errno);
  }

  /** All behind those that are being sent. */
  #giveBackUnsent(errno: number): void {
    const { sendBuffers } = this.#session;
    let lastInFlight = NO_BUFFER;
    let name = this.#first;
    for (let at = 0; at < this.#inFlight; at++, name = sendBuffers.next(name)) lastInFlight = name;
    this.#last = lastInFlight;
    if (lastInFlight === NO_BUFFER) this.#first = NO_BUFFER;
    else sendBuffers.link(lastInFlight, NO_BUFFER);
    while (name !== NO_BUFFER) {
      const next = sendBuffers.next(name);
      this.#session.sent(this.slot, this.generation, name, errno);
      name = next;
    }
  }

  #setAtQuota(atQuota: boolean): void {
    if (atQuota === this.#atQuota) return;
    this.#atQuota = atQuota;
    this.#session.receivePool.countAtQuota(atQuota ? 1 : -1);
  }

  #push(kind: number, a: number, b = 0): void {
    this.#session.push(kind, this.slot, this.generation, a, b);
  }
}
