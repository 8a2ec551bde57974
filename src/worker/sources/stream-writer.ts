/**
 * The writing half of a stream that was split: it has an owner of its own, in whose slot it is. The TcpStream itself is the reading half from then on.
 *
 * ```
 *              ATTACH_STREAM                 CLOSE, FLUSHED               all sent: FIN, and the reader is open
 *   offered ◄─────────────────► owned ─────────────────────► flushing ────────────────────────────────────────► over: RELEASED
 *      │        DETACH_STREAM                                    ▲ │                                                 ▲
 *      └── expired: nobody's ────────────────────────────────────┘ └── FIN, and the reader is not ──► lingering ─────┘
 * ```
 *
 * RESET, or `lingerMs` over while it flushes, resets the connection, and the reader hears of it (ECONNABORTED). A connection that the reader has
 * reset is over for the writer, too: it is told, and its slot is its own to close.
 */
import { Readiness } from '../../protocol/client-memory.js';
import { CloseMode, ShutdownHow } from '../../protocol/port-records.js';
import { Seen } from '../../protocol/transfer.js';
import type { Session } from '../clients/session.js';
import { Departure } from './departure.js';
import { ECANCELED } from './errnos.js';
import type { Source } from './source.js';
import { resetByWriter } from './stream-halves.js';
import type { TcpStream } from './tcp-stream.js';

export class StreamWriter implements Source {
  session: Session;
  slot: number;
  generation: number;
  readonly #stream: TcpStream;
  #seen = 0;
  #homeless = true;
  #closed = false;
  #over = false;
  #ended = false;

  /** From a slot of the stream's owner; to be offered. */
  constructor(stream: TcpStream, slot: number, generation: number) {
    this.#stream = stream;
    this.session = stream.session;
    this.slot = slot;
    this.generation = generation;
    this.session.addSource(slot, this);
  }

  get isHomeless(): boolean {
    return this.#homeless;
  }

  /** Whether its owner is told how writing goes. */
  get hears(): boolean {
    return !this.#homeless && !this.#closed;
  }

  /** It was closed, and sends what was accepted. */
  get isFlushing(): boolean {
    return this.#closed && !this.#over;
  }

  /** Nothing of it is left. */
  get isOver(): boolean {
    return this.#over;
  }

  /** The end of the stream is behind all that was sent. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  setInterest(): void {}
  completed(): void {}

  send(name: number): void {
    this.#stream.sending.send(name);
  }

  /** The other direction is not its own. */
  shutdown(how: number): void {
    if (how === ShutdownHow.WRITE && this.#stream.state === 'established') this.#stream.sending.shutdown();
  }

  close(mode: number): void {
    if (this.#over) return;
    const { sending } = this.#stream;
    const { linger } = this.session.selector;
    if (mode === CloseMode.RESET) {
      this.#closed = true;
      linger.remove(this);
      sending.giveBackUnsent(ECANCELED);
      return resetByWriter(this.#stream);
    }
    if (this.#closed) return;
    this.#closed = true;
    linger.add(this);
    sending.flush();
    sending.settle();
  }

  /** All of it is sent: the end of the stream is, too. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.session.selector.port.shutdown(this.#stream.endpoint, ShutdownHow.WRITE);
  }

  /** Nothing can be written any more: the owner is told, or the next one. */
  fail(errno: number): void {
    if (this.#over) return;
    const { sending } = this.#stream;
    if (sending.failure === 0) sending.fail(errno);
    if (this.hears) this.session.ready(this.slot, this.generation, Readiness.SEND_FAILED, sending.failure);
    sending.settle();
  }

  /** Sending failed, which nobody has seen. */
  unsee(): void {
    this.#seen &= ~Seen.FAILURE;
  }

  /** Its memory is nobody's but its owner's any more: the slot goes back. */
  release(): void {
    if (this.#over) return;
    this.#over = true;
    this.session.selector.linger.remove(this);
    if (this.#homeless) this.session.selector.transfers.ended(this);
    else this.session.removeSource(this.slot, this.generation);
  }

  // -- moving ----------------------------------------------------------------------------------------

  /** Its owner lets go of it; `seen` of what is to be told. */
  detach(seen: number): void {
    if (this.#closed) return;
    const { sending } = this.#stream;
    const departure = new Departure(this.session, this.slot, this.generation, sending.leave(), false);
    sending.left(departure);
    this.#seen = seen;
    this.#homeless = true;
    this.session.selector.transfers.add(this, departure);
  }

  attach(session: Session, slot: number, generation: number): void {
    const { sending } = this.#stream;
    this.session = session;
    this.slot = slot;
    this.generation = generation;
    this.#homeless = false;
    session.addSource(slot, this);
    if (sending.failure !== 0 && (this.#seen & Seen.FAILURE) === 0)
      session.ready(slot, generation, Readiness.SEND_FAILED, sending.failure);
    sending.tellCarried();
  }
}
