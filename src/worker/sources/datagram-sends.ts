/**
 * One datagram socket's unsent datagrams: frames (protocol/datagram.ts) in send buffers, in order. The buffers are linked through the
 * session's; of the first one, the frames before `#at` are sent.
 *
 * The frames lie in memory that the client may write to. Each word of them is read once, and checked.
 */
import { ADDRESS_WORDS } from '../../protocol/address.js';
import { CONTINUES, FRAME_BYTES, Frame, frameBytes, UNIX_FAMILY, UNIX_NAME_BYTES } from '../../protocol/datagram.js';
import { LITTLE_ENDIAN } from '../../protocol/endian.js';
import { PIECES_PER_SEND_TO } from '../../protocol/port-records.js';
import { NO_BUFFER } from '../clients/send-buffers.js';
import type { Session } from '../clients/session.js';

/** Word offsets of a piece that is being put together. */
const Piece = { OFFSET: 0, LENGTH: 1, CONTINUES: 2, ADDRESS: 3, WORDS: 3 + ADDRESS_WORDS } as const;
const pieces = new Int32Array(PIECES_PER_SEND_TO * Piece.WORDS);

const ADDRESS_FAMILY_MASK = 0xff;
const BIG_ENDIAN_SHIFT = 24;

interface SlotName {
  readonly slot: number;
  readonly generation: number;
}

export class DatagramSends {
  readonly #session: Session;
  readonly #name: SlotName;
  #first = NO_BUFFER;
  #last = NO_BUFFER;
  /** Where the first unsent frame begins in the first buffer. */
  #at = 0;
  /** The first buffer's length once it was closed, else -1. */
  #length = -1;
  /** By datagram of the operation in flight: in which buffer it ends, where in it, and how long that buffer is. */
  readonly #ends = new Int32Array(3 * PIECES_PER_SEND_TO);

  constructor(session: Session, name: SlotName) {
    this.#session = session;
    this.#name = name;
  }

  get isEmpty(): boolean {
    return this.#first === NO_BUFFER;
  }

  add(name: number): void {
    if (this.#last === NO_BUFFER) this.#first = name;
    else this.#session.sendBuffers.link(this.#last, name);
    this.#last = name;
  }

  /** Starts sending the first datagrams. False if there is no whole one; undefined if the client wrote nonsense. */
  begin(endpoint: number): boolean | undefined {
    const { sendBuffers, selector } = this.#session;
    let count = 0;
    let whole = 0;
    let datagrams = 0;
    let at = this.#at;
    let length = this.#length;
    for (let buffer = this.#first; buffer !== NO_BUFFER && count < PIECES_PER_SEND_TO; ) {
      if (length < 0) length = this.#close(buffer);
      at = this.#frame(buffer, at, length, count);
      if (at < 0) return undefined;
      const continues = pieces[count * Piece.WORDS + Piece.CONTINUES] === 1;
      // It would go on in the next buffer although this one does not end.
      if (continues && at < length) return undefined;
      count++;
      if (!continues) {
        this.#ends.set([buffer, at, length], 3 * datagrams++);
        whole = count;
      }
      if (at < length) continue;
      buffer = sendBuffers.next(buffer);
      at = 0;
      length = -1;
    }
    // Nobody writes a datagram of more pieces; fewer may be the first of one whose rest is on the way.
    if (whole === 0) return count === PIECES_PER_SEND_TO ? undefined : false;
    selector.port.beginSendTo(endpoint, whole);
    for (let piece = 0; piece < whole; piece++) this.#addPiece(piece * Piece.WORDS);
    return true;
  }

  /** The first of the datagrams that were begun are done with: so many. */
  sent(datagrams: number): void {
    if (datagrams === 0) return;
    const end = 3 * (datagrams - 1);
    const buffer = this.#ends[end] as number;
    while (this.#first !== buffer) this.#giveBackFirst();
    this.#at = this.#ends[end + 1] as number;
    this.#length = this.#ends[end + 2] as number;
    if (this.#at === this.#length) this.#giveBackFirst();
  }

  /** The socket is closed: nothing reads the buffers any more. */
  giveBackAll(): void {
    while (this.#first !== NO_BUFFER) this.#giveBackFirst();
  }

  #giveBackFirst(): void {
    const { sendBuffers } = this.#session;
    const name = this.#first;
    this.#first = sendBuffers.next(name);
    if (this.#first === NO_BUFFER) this.#last = NO_BUFFER;
    this.#at = 0;
    this.#length = -1;
    this.#session.sent(this.#name.slot, this.#name.generation, name, 0);
  }

  /** The buffer's length, final from now on; 0, in which no frame fits, when that is none. */
  #close(buffer: number): number {
    const length = this.#session.sendBuffers.close(buffer) ?? 0;
    if (buffer === this.#first) this.#length = length;
    return length;
  }

  /** Reads the frame into `pieces`; returns where it ends, or -1 if it is none. */
  #frame(buffer: number, at: number, length: number, piece: number): number {
    const { view } = this.#session.sendBuffers;
    const base = this.#session.sendBuffers.offset(buffer) + at;
    if (at + FRAME_BYTES > length) return -1;
    const payload = view.getInt32(base + Frame.LENGTH, LITTLE_ENDIAN);
    const flags = view.getInt32(base + Frame.FLAGS, LITTLE_ENDIAN);
    const nameBytes = (flags >>> 8) & 0xff;
    if (payload < 0 || nameBytes > UNIX_NAME_BYTES) return -1;
    const end = at + frameBytes(nameBytes, payload);
    if (end > length) return -1;
    const into = piece * Piece.WORDS;
    pieces[into + Piece.OFFSET] = base + FRAME_BYTES + nameBytes;
    pieces[into + Piece.LENGTH] = payload;
    pieces[into + Piece.CONTINUES] = flags & CONTINUES;
    for (let word = 0; word < ADDRESS_WORDS; word++) {
      pieces[into + Piece.ADDRESS + word] = view.getInt32(base + Frame.ADDRESS + 4 * word, LITTLE_ENDIAN);
    }
    return this.#checkAddress(into, nameBytes, base + FRAME_BYTES) ? end : -1;
  }

  /** The port refuses an address that is none, and a refusal is taken for a bug: so it is found here. */
  #checkAddress(into: number, nameBytes: number, nameAt: number): boolean {
    const first = pieces[into + Piece.ADDRESS] as number;
    const family = LITTLE_ENDIAN ? first & ADDRESS_FAMILY_MASK : first >>> BIG_ENDIAN_SHIFT;
    if (family === 0 || family === 4 || family === 6) return nameBytes === 0;
    if (family !== UNIX_FAMILY || nameBytes === 0) return false;
    const bytes = new Uint8Array(pieces.buffer, 4 * (into + Piece.ADDRESS), 4);
    bytes[1] = nameBytes;
    pieces[into + Piece.ADDRESS + 1] = nameAt;
    return true;
  }

  #addPiece(from: number): void {
    const { sendBuffers, selector } = this.#session;
    selector.port.addDatagramPiece(
      sendBuffers.portSegment,
      pieces[from + Piece.OFFSET] as number,
      pieces[from + Piece.LENGTH] as number,
      pieces[from + Piece.CONTINUES] === 1,
      pieces,
      from + Piece.ADDRESS,
    );
  }
}
