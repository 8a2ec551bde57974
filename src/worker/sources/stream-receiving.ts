/**
 * A stream's way in, on the I/O thread: receives ahead into its owner's buffers.
 *
 * ```
 *   idle ──arm──► armed ──END──► ended
 *    ▲              │
 *    └──released────┘
 * ```
 *
 * While the stream has no owner, or has not arrived at its next one, nothing is armed; what a receive in flight still brings is copied
 * (move.ts).
 */
import { EventKind, MESSAGE_GOES_ON } from '../../protocol/events.js';
import { PortOpcode } from '../../protocol/port-records.js';
import type { BufferHolder } from '../buffers/receive-pool.js';
import type { Completion } from '../loop/port.js';
import { ECANCELED, ENOBUFS, EPIPE } from './errnos.js';
import { tellReader } from './stream-halves.js';
import type { TcpStream } from './tcp-stream.js';

/** In one word: there may be tens of thousands of streams, most of them idle. */
const Flag = {
  /** Its owner is interested in data. */
  WANTED: 1,
  /** A receive is in flight. */
  IN_FLIGHT: 2,
  /** Its limit may grow. */
  EXTENDABLE: 4,
  /** It would receive, were it not for its quota. */
  AT_QUOTA: 8,
} as const;

export class StreamReceiving implements BufferHolder {
  heldBuffers = 0;
  copiedBuffers = 0;
  /** How receiving ended: 0 or a negative errno. */
  end: number | undefined;
  readonly #stream: TcpStream;
  #flags = 0;
  /** Buffers that the receive in flight may still fill; less than none when a kernel went beyond its limit. */
  #granted = 0;

  constructor(stream: TcpStream) {
    this.#stream = stream;
  }

  get isInFlight(): boolean {
    return this.#has(Flag.IN_FLIGHT);
  }

  want(data: boolean): void {
    this.#set(Flag.WANTED, data);
    if (data) this.arm();
    else this.stop();
  }

  /** Receives if the owner wants data, its quota allows it and the pool has a buffer. */
  arm(): void {
    const { session, isReading, isAtHome, endpoint } = this.#stream;
    if (!isReading || !this.#has(Flag.WANTED) || this.end !== undefined || !isAtHome) return;
    if (this.isInFlight) return this.#extend();
    const { receivePool, selector } = session;
    this.#setAtQuota(receivePool.allowance(this) <= 0);
    if (this.#has(Flag.AT_QUOTA)) return;
    const offer = receivePool.offer(this);
    if (!offer) return;
    this.#set(Flag.IN_FLIGHT, true);
    this.#granted = offer.limit;
    this.#set(Flag.EXTENDABLE, offer.extendable);
    selector.port.receive(endpoint, offer.group, offer.limit);
  }

  /** Buffers came back: the receive in flight may fill as many more, so that with a steady reader it never ends. */
  #extend(): void {
    const { session, endpoint } = this.#stream;
    const { receivePool, selector } = session;
    const more = receivePool.allowance(this) - this.#granted;
    if (!this.#has(Flag.EXTENDABLE) || !receivePool.isWorthExtending(more)) return;
    this.#granted += more;
    selector.port.extend(endpoint, more);
  }

  /** It waits for buffers no more. */
  unstarve(): void {
    this.#stream.session.receivePool.unstarve(this);
    this.#setAtQuota(false);
  }

  stop(): void {
    this.unstarve();
    this.cancel();
  }

  /** Whatever is in flight; its release is still to come. */
  cancel(): void {
    const { session, endpoint, isOpen } = this.#stream;
    if (this.isInFlight && isOpen) session.selector.port.cancel(endpoint, PortOpcode.RECEIVE);
  }

  /** Its owner ended receiving. */
  shutdown(): void {
    this.stop();
    this.end ??= 0;
  }

  /** Its owner lets go of it; what that has and has not looked at is given back, in order, as copies. */
  leave(): Uint8Array[] {
    this.unstarve();
    this.#set(Flag.WANTED, false);
    return this.#stream.session.receivePool.takeBack(this);
  }

  completed({ result, more, goesOn, segment, index }: Completion): void {
    const stream = this.#stream;
    const { move } = stream;
    const { receivePool, selector } = move?.receivingFor?.session ?? stream.session;
    if (!more) this.#set(Flag.IN_FLIGHT, false);
    if (result > 0) {
      this.#granted--;
      selector.counters.bytesReceived += result;
      const name = receivePool.filled(segment, index, result, this);
      // Nobody will read what arrives after the client's close: the buffer goes straight home.
      if (!stream.isReading) receivePool.recycle(name, false);
      else if (stream.isAtHome) stream.push(EventKind.DATA, name, goesOn ? result | MESSAGE_GOES_ON : result);
      else move?.late.push(receivePool.takeOut(name));
    } else if (result !== ENOBUFS && result !== ECANCELED && this.end === undefined) {
      this.end = this.#howItEnded(result);
      if (stream.isReading && stream.isAtHome) stream.push(EventKind.END, this.end);
      if (this.end !== 0) stream.writer?.fail(this.end);
      else if (stream.writer && stream.sending.failure !== 0) tellReader(stream, stream.sending.failure);
    }
    if (!more) stream.receiveReleased();
  }

  /** Of a connection's error the kernel tells once, and the writing half may have had it: then its end is no orderly one. */
  #howItEnded(result: number): number {
    const { writer, sending } = this.#stream;
    const { failure } = sending;
    return result === 0 && writer && failure !== 0 && failure !== EPIPE ? failure : result;
  }

  #setAtQuota(atQuota: boolean): void {
    if (atQuota === this.#has(Flag.AT_QUOTA)) return;
    this.#set(Flag.AT_QUOTA, atQuota);
    this.#stream.session.receivePool.countAtQuota(atQuota ? 1 : -1);
  }

  #has(flag: number): boolean {
    return (this.#flags & flag) !== 0;
  }

  #set(flag: number, on: boolean): void {
    this.#flags = on ? this.#flags | flag : this.#flags & ~flag;
  }
}
