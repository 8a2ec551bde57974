/**
 * A stream's way out, on the I/O thread: sends what its owners wrote, in order, and then what was queued behind it.
 *
 * ```
 *   idle ──flush──► in flight ──error──► failed
 *     ▲                │
 *     └────released────┘
 * ```
 */
import { Readiness } from '../../protocol/client-memory.js';
import { PortOpcode, ShutdownHow } from '../../protocol/port-records.js';
import type { Session } from '../clients/session.js';
import type { Departure } from './departure.js';
import { ECANCELED, ECONNRESET } from './errnos.js';
import { SendList } from './send-list.js';
import { tellReader, writerFlushed } from './stream-halves.js';
import type { TcpStream } from './tcp-stream.js';

/** Whose the way out is: the stream's owner, or the writing half's. */
export interface SendingOwner {
  readonly slot: number;
  readonly generation: number;
  readonly session: Session;
  readonly isHomeless: boolean;
  /** Whether it is told how sending goes. */
  readonly hears: boolean;
  /** Sending failed, which nobody has seen. */
  unsee(): void;
}

export class StreamSending {
  readonly #stream: TcpStream;
  /** What its owner wrote; made by the first write. */
  #own: SendList | undefined;
  /** Earlier owners with unsent writes, in the order of writing; undefined without any. */
  #earlier: Departure[] | undefined;
  #inFlight: SendList | undefined;
  #failure = 0;
  #flushQueued = false;
  #shutdownQueued = false;

  constructor(stream: TcpStream) {
    this.#stream = stream;
  }

  get isInFlight(): boolean {
    return this.#inFlight !== undefined;
  }

  get isEmpty(): boolean {
    return this.#own?.isEmpty !== false && this.#earlier === undefined;
  }

  /** Why connecting or sending failed, or 0. */
  get failure(): number {
    return this.#failure;
  }

  get #owner(): SendingOwner {
    return this.#stream.writer ?? this.#stream;
  }

  /** The client wrote: the buffer is in order behind those before it. */
  send(name: number): void {
    const { state } = this.#stream;
    const { session, slot, generation } = this.#owner;
    if (this.#failure !== 0) {
      session.sent(slot, generation, name, state === 'failed' ? ECANCELED : this.#failure);
      return;
    }
    this.#own ??= new SendList(session, slot, generation);
    this.#own.add(name);
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    session.selector.flushLater(this);
  }

  /**
   * Sends what is unsent, up to the pieces that one operation takes, earlier owners' first. Called once per turn, so small
   * writes coalesce.
   */
  flush(): void {
    const { session, endpoint, maySend } = this.#stream;
    this.#flushQueued = false;
    if (this.#inFlight || !maySend) return;
    const list = this.#earlier?.[0]?.sends ?? this.#own;
    if (!list || list.isEmpty) return;
    if (list.submit(session.selector.port, endpoint)) this.#inFlight = list;
    else this.#corrupt(list);
  }

  /** Writing ends with the last byte that is unsent. */
  shutdown(): void {
    this.#shutdownQueued = true;
    this.settle();
  }

  /** Once nothing is left to send: what was queued behind the sends. */
  settle(): void {
    const stream = this.#stream;
    if (!this.isEmpty) return;
    if (stream.state === 'flushing') return stream.flushed();
    if (stream.writer?.isFlushing) return writerFlushed(stream);
    if (this.#shutdownQueued && stream.state === 'established') {
      this.#shutdownQueued = false;
      stream.session.selector.port.shutdown(stream.endpoint, ShutdownHow.WRITE);
    }
  }

  /** Whatever is in flight; its release is still to come. */
  cancel(): void {
    const { session, endpoint } = this.#stream;
    if (this.#inFlight) session.selector.port.cancel(endpoint, PortOpcode.SEND);
  }

  completed(result: number): void {
    const stream = this.#stream;
    const errno = Math.min(result, 0);
    const carries = this.#earlier !== undefined;
    if (errno === 0) stream.session.selector.counters.bytesSent += result;
    this.#inFlight?.sent(errno);
    this.#inFlight = undefined;
    if (errno !== 0) this.fail(errno);
    if (errno !== 0 && stream.writer) tellReader(stream, errno);
    this.#forgetSent();
    if (carries && this.#owner.hears) {
      this.tellCarried();
      if (errno !== 0) this.#tellFailed(errno);
    }
    this.flush();
    this.settle();
  }

  /** Nothing is sent any more. What is in flight stays so. */
  fail(errno: number): void {
    this.#failure = errno;
    this.#owner.unsee();
    this.giveBackUnsent(errno);
  }

  /** Connecting has failed: what waited for it is given back as it comes. */
  refuse(errno: number): void {
    this.#failure = errno;
  }

  /** All but what is in flight. */
  giveBackUnsent(errno: number): void {
    for (const { sends } of this.#earlier ?? []) sends?.giveBackUnsent(errno);
    this.#forgetSent();
    this.#own?.giveBackUnsent(errno);
  }

  /** A session of a named pipe is over: the next one begins anew. */
  startOver(): void {
    this.#failure = 0;
    this.#shutdownQueued = false;
  }

  // -- moving ----------------------------------------------------------------------------------------

  /** Its owner lets go of it, and writes no more. */
  leave(): SendList | undefined {
    const own = this.#own;
    own?.seal();
    this.#own = undefined;
    return own;
  }

  /** What an owner left behind goes before what the next one writes. */
  left(departure: Departure): void {
    if (departure.sends?.isEmpty !== false) return;
    this.#earlier ??= [];
    this.#earlier.push(departure);
  }

  /** How much of what earlier owners wrote is unsent. */
  tellCarried(): void {
    const { session, slot, generation } = this.#owner;
    const bytes = (this.#earlier ?? []).reduce((sum, { sends }) => sum + (sends?.bytesLeft ?? 0), 0);
    session.carried(slot, generation, bytes);
  }

  /** Some of it was sent, or given up. */
  #forgetSent(): void {
    const earlier = this.#earlier;
    if (!earlier) return;
    const unsent = earlier.filter(({ sends }) => sends?.isEmpty === false);
    if (unsent.length === earlier.length) return;
    this.#earlier = unsent.length > 0 ? unsent : undefined;
    for (const departure of earlier) if (!unsent.includes(departure)) departure.settle();
  }

  /** The writer's memory is corrupt. If the stream is its own it is reset with it; else it has passed to another owner, who is told. */
  #corrupt(list: SendList): void {
    const owner = this.#owner;
    const session = list.session;
    if (session !== owner.session || owner.isHomeless) {
      this.fail(ECONNRESET);
      session.selector.port.shutdown(this.#stream.endpoint, ShutdownHow.BOTH);
      if (owner.hears) this.#tellFailed(ECONNRESET);
    }
    session.detach();
  }

  #tellFailed(errno: number): void {
    const { session, slot, generation } = this.#owner;
    session.ready(slot, generation, Readiness.SEND_FAILED, errno);
  }
}
