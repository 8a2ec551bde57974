/**
 * A datagram socket on the I/O thread, UDP or Unix-domain: receives ahead into buffers of its own pool, sends what the client
 * wrote, many datagrams per operation.
 *
 * ```
 *   open ──CLOSE submitted──► flushing ──all sent, or RESET, or lingerMs over──► closing ──CLOSE released──► released
 *
 *   receiving:  idle ──arm──► armed ──released: limit, no buffer, cancelled──► idle
 *                               └──an error that stays──► failed: told once, receives no more
 * ```
 *
 * Nothing received is dropped here. When the pool is used up, the kernel holds what comes, and drops, and counts, what finds its
 * buffer full.
 *
 * What the kernel says of datagrams sent before (ICMP) may be told to a later send, which then has sent nothing: so a datagram that is
 * refused is tried once more.
 */
import { Readiness } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { INTEREST_READABLE } from '../../protocol/interest.js';
import { CloseMode, PortOpcode } from '../../protocol/port-records.js';
import type { BufferHolder, ReceivePool } from '../buffers/receive-pool.js';
import type { Session } from '../clients/session.js';
import type { Completion } from '../loop/port.js';
import { DatagramSends } from './datagram-sends.js';
import { ECANCELED, ENOBUFS } from './errnos.js';
import type { Source } from './source.js';

type State = 'open' | 'flushing' | 'closing';

export class DatagramSocket implements Source, BufferHolder {
  readonly slot: number;
  readonly generation: number;
  heldBuffers = 0;
  copiedBuffers = 0;
  readonly #session: Session;
  readonly #endpoint: number;
  readonly #pool: ReceivePool | undefined;
  #state: State = 'open';
  #wantsData = false;
  #receiving = false;
  #failed = false;
  /** Made by the first send. */
  #sends: DatagramSends | undefined;
  #flushQueued = false;
  #sending = false;
  /** The first unsent datagram was refused once. */
  #refused = false;

  constructor(session: Session, slot: number, generation: number, fd: number) {
    this.#session = session;
    this.slot = slot;
    this.generation = generation;
    this.#endpoint = session.selector.port.adopt(fd, this);
    this.#pool = session.needDatagramPool();
    session.addSource(slot, this);
  }

  setInterest(interest: number): void {
    this.#wantsData = (interest & INTEREST_READABLE) !== 0;
    if (this.#wantsData) this.arm();
    else this.#stopReceiving();
  }

  arm(): void {
    if (this.#state !== 'open' || !this.#wantsData || this.#receiving || this.#failed) return;
    if (!this.#pool) return this.#fail(ENOBUFS);
    if (this.#pool.allowance(this) <= 0) return;
    const offer = this.#pool.offer(this);
    if (!offer) return;
    this.#receiving = true;
    this.#session.selector.port.receiveFrom(this.#endpoint, offer.group, offer.limit);
  }

  /** The client filled a buffer with frames: it is in order behind those before it. */
  send(name: number): void {
    this.#sends ??= new DatagramSends(this.#session, this);
    this.#sends.add(name);
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    this.#session.selector.flushLater(this);
  }

  /** Sends what is unsent, up to the pieces that one operation takes. Called once per turn. */
  flush(): void {
    this.#flushQueued = false;
    if (this.#sending || this.#state === 'closing' || !this.#sends) return;
    const begun = this.#sends.begin(this.#endpoint);
    // Corrupt; the session closes this socket as well.
    if (begun === undefined) return this.#session.detach();
    this.#sending = begun;
  }

  close(mode: number): void {
    if (this.#state === 'closing') return;
    this.#pool?.unstarve(this);
    if (mode === CloseMode.RESET) return this.#submitClose();
    if (this.#state === 'flushing') return;
    this.#state = 'flushing';
    this.#stopReceiving();
    this.#session.selector.linger.add(this);
    this.flush();
    this.#closeIfSent();
  }

  completed(opcode: number, completion: Completion): void {
    switch (opcode) {
      case PortOpcode.RECEIVE_FROM:
        return this.#received(completion);
      case PortOpcode.SEND_TO:
        return this.#sent(completion.result);
      case PortOpcode.CLOSE:
        return this.#closed();
    }
  }

  #received({ result, more, segment, index }: Completion): void {
    if (!more) this.#receiving = false;
    if (result >= 0 && segment >= 0) this.#datagram(segment, index, result);
    else if (more) this.#tell(result);
    else if (result !== ECANCELED && result !== ENOBUFS) return this.#fail(result);
    // Others took the buffers of its group: arming finds it another one, or lets it wait.
    if (!more) this.arm();
  }

  #datagram(segment: number, index: number, length: number): void {
    const pool = this.#pool as ReceivePool;
    this.#session.selector.counters.bytesReceived += length;
    const name = pool.filled(segment, index, length, this);
    // Nobody will read what arrives after the client's close: the buffer goes straight home.
    if (this.#state === 'open') this.#session.push(EventKind.DATA, this.slot, this.generation, name, length);
    else pool.recycle(name, false);
  }

  #sent(result: number): void {
    this.#sending = false;
    const sends = this.#sends as DatagramSends;
    if (this.#state === 'closing') return;
    if (result > 0) {
      this.#refused = false;
      sends.sent(result);
    } else if (result < 0) {
      this.#refusedWith(result, sends);
    }
    this.flush();
    this.#closeIfSent();
  }

  #refusedWith(errno: number, sends: DatagramSends): void {
    // Of an earlier datagram, or it will be met again.
    this.#refused = !this.#refused;
    if (!this.#refused) sends.sent(1);
    this.#tell(errno);
  }

  #closeIfSent(): void {
    if (this.#state === 'flushing' && !this.#sending && (!this.#sends || this.#sends.isEmpty)) this.#submitClose();
  }

  #stopReceiving(): void {
    this.#pool?.unstarve(this);
    if (this.#receiving) this.#session.selector.port.cancel(this.#endpoint, PortOpcode.RECEIVE_FROM);
  }

  #submitClose(): void {
    this.#state = 'closing';
    this.#session.selector.linger.remove(this);
    // There is no difference between the modes: what the kernel has taken it sends.
    this.#session.selector.port.close(this.#endpoint, CloseMode.RESET);
  }

  #closed(): void {
    this.#sends?.giveBackAll();
    this.#session.selector.descriptorClosed();
    this.#session.removeSource(this.slot, this.generation);
  }

  #fail(errno: number): void {
    this.#failed = true;
    this.#tell(errno);
  }

  #tell(errno: number): void {
    this.#session.ready(this.slot, this.generation, Readiness.FAILED, errno);
  }
}
