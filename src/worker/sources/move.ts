/**
 * What a stream carries along because it moved: kept from the first DETACH until the new owner has everything. Streams that
 * stay have none.
 */
import { Readiness } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { Seen } from '../../protocol/transfer.js';
import type { Departure } from './departure.js';
import type { TcpStream } from './tcp-stream.js';

export class Move {
  /** No client has it. */
  homeless = false;
  /** Nothing is received into an earlier owner's buffers any more, and the new one knows all. */
  arrived = false;
  /** The earlier owner into whose buffers a receive is in flight, cancelled and not yet released. */
  receivingFor: Departure | undefined;
  /** Data for the next owner that is in no client's buffers, in order. */
  late: Uint8Array[] = [];
  /** What some owner has seen. */
  #seen: number = Seen.ALL;

  left(departure: Departure, seen: number, receiving: boolean): void {
    this.homeless = true;
    this.arrived = false;
    this.#seen = seen;
    if (receiving) this.receivingFor = departure;
  }

  /** Nothing is received into an earlier owner's buffers any more: the new owner is told what came, and what no owner has seen. */
  arrive(stream: TcpStream): void {
    const { session, slot, generation, receiving, state } = stream;
    const { failure } = stream.sending;
    this.arrived = true;
    if (this.late.length > 0) session.late(slot, generation, this.late);
    if (receiving.end !== undefined && !this.#hasSeenEnd(stream)) stream.push(EventKind.END, receiving.end);
    if (state === 'failed') {
      if (!this.#hasSeen(Seen.CONNECT)) session.ready(slot, generation, Readiness.FAILED, failure);
      return;
    }
    if (state === 'established' && !this.#hasSeen(Seen.CONNECT)) session.ready(slot, generation, Readiness.CONNECTED);
    if (failure !== 0 && !stream.writer && !this.#hasSeen(Seen.FAILURE))
      session.ready(slot, generation, Readiness.SEND_FAILED, failure);
  }

  /** A reader may have seen the peer's end, and not the error that came after it (stream-halves.ts). */
  #hasSeenEnd({ receiving, writer }: TcpStream): boolean {
    const failed = writer !== undefined && receiving.end !== 0;
    return this.#hasSeen(Seen.END) && (!failed || this.#hasSeen(Seen.FAILURE));
  }

  #hasSeen(what: number): boolean {
    return (this.#seen & what) !== 0;
  }

  /** Sending failed, which nobody has seen. */
  unsee(): void {
    this.#seen &= ~Seen.FAILURE;
  }

  /** A receive was released. */
  receiveReleased(): void {
    const departure = this.receivingFor;
    this.receivingFor = undefined;
    departure?.receiveReleased();
  }
}
