/**
 * What becomes of a split stream's way in when its reading half is closed: whatever comes is received and dropped. Else it would lie in the kernel, and a
 * connection that is closed with unread bytes is reset, which drops what its peer has not yet got of the writer's.
 *
 * ```
 *   discarding ──the peer's end, an error, or no memory for it──► over
 *       └──the endpoint closes: lingerMs is over, or a reset──► released
 * ```
 */
import type { BufferHolder, ReceivePool } from '../buffers/receive-pool.js';
import type { Completion } from '../loop/port.js';
import { ECANCELED, ENOBUFS } from './errnos.js';
import { settleLingering } from './stream-halves.js';
import type { TcpStream } from './tcp-stream.js';

export class StreamDiscarding implements BufferHolder {
  heldBuffers = 0;
  copiedBuffers = 0;
  readonly #stream: TcpStream;
  /** Undefined: there is nothing to discard, or no more. */
  #pool: ReceivePool | undefined;
  #inFlight = false;
  #over = false;

  /** Nothing is received into the reader's memory any more. */
  constructor(stream: TcpStream) {
    this.#stream = stream;
    if (stream.receiving.end === undefined) this.#pool = stream.session.selector.discards.join();
    this.#over = !this.#pool;
  }

  /** Nothing comes any more. */
  get isOver(): boolean {
    return this.#over;
  }

  arm(): void {
    const { session, endpoint, isOpen } = this.#stream;
    if (!this.#pool || this.#inFlight || this.#over || !isOpen) return;
    const offer = this.#pool.offer(this);
    if (!offer) return;
    this.#inFlight = true;
    session.selector.port.receive(endpoint, offer.group, offer.limit);
  }

  completed({ result, more, segment, index }: Completion): void {
    const pool = this.#pool as ReceivePool;
    if (!more) this.#inFlight = false;
    if (result > 0) {
      this.#stream.session.selector.counters.bytesReceived += result;
      pool.recycle(pool.filled(segment, index, result, this), false);
    } else if (result !== ENOBUFS && result !== ECANCELED) {
      this.#end(result);
    }
    if (!more) this.arm();
  }

  /** It waits for buffers no more. */
  unstarve(): void {
    this.#pool?.unstarve(this);
  }

  /** The endpoint is closed: nothing is in flight. */
  release(): void {
    if (this.#pool) this.#stream.session.selector.discards.leave();
    this.#pool = undefined;
  }

  #end(errno: number): void {
    const { receiving, writer } = this.#stream;
    this.#over = true;
    receiving.end ??= errno;
    if (errno !== 0) writer?.fail(errno);
    settleLingering(this.#stream);
  }
}
