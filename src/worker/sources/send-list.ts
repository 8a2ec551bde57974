/**
 * What one client has written to one stream and the kernel has not taken: send buffers in order, linked through the session's, the
 * first so many of them in flight. A stream has one, and one more for each earlier owner whose writes are unsent.
 */
import { PIECES_PER_SEND } from '../../protocol/port-records.js';
import { NO_BUFFER } from '../clients/send-buffers.js';
import type { Session } from '../clients/session.js';
import type { Port } from '../loop/port.js';

/** Of the pieces of the send that is being put together. */
const lengths = new Int32Array(PIECES_PER_SEND);

export class SendList {
  readonly session: Session;
  readonly #slot: number;
  readonly #generation: number;
  #first = NO_BUFFER;
  #last = NO_BUFFER;
  #inFlight = 0;
  /** Bytes left, once {@link seal}ed. */
  #left: number | undefined;

  constructor(session: Session, slot: number, generation: number) {
    this.session = session;
    this.#slot = slot;
    this.#generation = generation;
  }

  get isEmpty(): boolean {
    return this.#first === NO_BUFFER;
  }

  /** Of a sealed list. */
  get bytesLeft(): number {
    return this.#left ?? 0;
  }

  add(name: number): void {
    if (this.#last === NO_BUFFER) this.#first = name;
    else this.session.sendBuffers.link(this.#last, name);
    this.#last = name;
  }

  /** Its writer has moved the stream away: nothing is appended any more, and the bytes are counted. */
  seal(): void {
    const { sendBuffers } = this.session;
    let left = 0;
    for (let name = this.#first; name !== NO_BUFFER; name = sendBuffers.next(name))
      left += sendBuffers.close(name) ?? 0;
    this.#left = left;
  }

  /** Starts sending what one operation takes; there is something, and nothing in flight. False if its client's memory is corrupt. */
  submit(port: Port, endpoint: number): boolean {
    const { sendBuffers } = this.session;
    let count = 0;
    for (let name = this.#first; name !== NO_BUFFER && count < PIECES_PER_SEND; name = sendBuffers.next(name)) {
      const length = sendBuffers.close(name);
      if (length === undefined) return false;
      lengths[count++] = length;
    }
    this.#inFlight = count;
    let name = this.#first;
    port.beginSend(endpoint, count);
    for (let at = 0; at < count; at++, name = sendBuffers.next(name)) {
      port.addPiece(sendBuffers.portSegment, sendBuffers.offset(name), lengths[at] as number);
    }
    return true;
  }

  /** The send is released: what was in flight goes back. */
  sent(errno: number): void {
    for (; this.#inFlight > 0; this.#inFlight--) this.#giveBackFirst(errno);
    if (this.isEmpty) this.#left = this.#left && 0;
  }

  /** All behind those that are in flight. */
  giveBackUnsent(errno: number): void {
    const { sendBuffers } = this.session;
    let lastInFlight = NO_BUFFER;
    let name = this.#first;
    for (let at = 0; at < this.#inFlight; at++, name = sendBuffers.next(name)) lastInFlight = name;
    this.#last = lastInFlight;
    if (lastInFlight === NO_BUFFER) this.#first = NO_BUFFER;
    else sendBuffers.link(lastInFlight, NO_BUFFER);
    while (name !== NO_BUFFER) {
      const next = sendBuffers.next(name);
      this.session.sent(this.#slot, this.#generation, name, errno);
      name = next;
    }
  }

  #giveBackFirst(errno: number): void {
    const { sendBuffers } = this.session;
    const name = this.#first;
    this.#first = sendBuffers.next(name);
    if (this.#first === NO_BUFFER) this.#last = NO_BUFFER;
    if (this.#left !== undefined) this.#left = Math.max(0, this.#left - (sendBuffers.close(name) ?? 0));
    this.session.sent(this.#slot, this.#generation, name, errno);
  }
}
