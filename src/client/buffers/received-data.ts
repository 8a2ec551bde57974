/**
 * What this client has received and not read, over all its streams: chunks, each in a receive buffer until it is read, or
 * until the I/O thread needs the buffer and the chunk is copied out of it.
 *
 * ```
 *   in a buffer ──read──────────────────────────────► RECYCLE
 *      │   └──────lent: a lease holds it──release───► RECYCLE
 *      └──copied out: RECYCLE(copied)──read, or released──► COPIES_READ
 * ```
 *
 * Copying happens while events are drained, oldest chunks first, and only to chunks that an earlier drain brought: whoever
 * reads what has just come never pays for a copy. It is the client that copies, because
 * a buffer is its own from DATA to RECYCLE; no other thread could without asking.
 */
import { buffersWanted, setCopiedBytes } from '../../atomics/flag.js';
import { BuffersWanted } from '../../protocol/client-memory.js';
import { MESSAGE_GOES_ON } from '../../protocol/events.js';
import { Submission } from '../../protocol/submissions.js';
import type { UnreadData } from '../../protocol/transfer.js';
import { ChunkTable, Field, IN_BUFFER, NO_CHUNK } from './chunk-table.js';
import { CopyBlocks } from './copy-blocks.js';
import type { Segments } from './segments.js';

/** Submits for this client, see `Client.submit`. */
export interface Submitter {
  submit(opcode: number, slot: number, generation: number, a?: number, b?: number): void;
  /** Publishes; wakes the I/O thread only if it waits for buffers. */
  recycled(): void;
}

/** A stream's part: its name on the I/O thread, and the ends of its lists in the table. Only ReceivedData writes these. */
export interface Reader {
  readonly slot: number;
  readonly generation: number;
  /** Unread chunks, first to last; {@link NO_CHUNK} without one. */
  firstChunk: number;
  lastChunk: number;
  /** Some lent chunk. */
  lentChunk: number;
}

export class ReceivedData {
  readonly #words: Int32Array;
  readonly #segments: Segments;
  readonly #submitter: Submitter;
  readonly #blocks: CopyBlocks;
  readonly #table = new ChunkTable();
  /** Whether what {@link read} gave last was not all of a message. */
  lastReadGoesOn = false;
  #drain = 0;
  #oldest = NO_CHUNK;
  #newest = NO_CHUNK;

  constructor(words: Int32Array, segments: Segments, submitter: Submitter, maxUnreadBytes: number) {
    this.#words = words;
    this.#segments = segments;
    this.#submitter = submitter;
    this.#blocks = new CopyBlocks(maxUnreadBytes, (bytes) => setCopiedBytes(words, bytes));
  }

  /** A DATA event; `length` as it has it. */
  add(reader: Reader, buffer: number, length: number): void {
    const table = this.#table;
    const chunk = table.allocate(buffer, length & ~MESSAGE_GOES_ON);
    table.set(chunk, Field.GOES_ON, length & MESSAGE_GOES_ON);
    table.set(chunk, Field.DRAIN, this.#drain);
    table.set(chunk, Field.OLDER, this.#newest);
    if (this.#newest === NO_CHUNK) this.#oldest = chunk;
    else table.set(this.#newest, Field.NEWER, chunk);
    this.#newest = chunk;
    this.#append(reader, chunk);
  }

  /** What a stream had unread when it came to this thread, or came while it did. */
  adopt(reader: Reader, { memory, lengths }: UnreadData): void {
    const table = this.#table;
    const block = this.#blocks.adopt(memory, lengths.length);
    let from = 0;
    for (const described of lengths) {
      const length = described & ~MESSAGE_GOES_ON;
      const chunk = table.allocate(0, from + length);
      table.set(chunk, Field.GOES_ON, described & MESSAGE_GOES_ON);
      table.set(chunk, Field.BLOCK, block);
      table.set(chunk, Field.FROM, from);
      from += length;
      this.#append(reader, chunk);
    }
  }

  /**
   * Takes what the stream, which has no leases, has unread along to another thread: copied out, so it counts against the stream's
   * quota until it is read there. Undefined without any.
   */
  takeOut(reader: Reader): UnreadData | undefined {
    const table = this.#table;
    const lengths: number[] = [];
    let total = 0;
    for (let chunk = reader.firstChunk; chunk !== NO_CHUNK; chunk = table.get(chunk, Field.NEXT)) {
      lengths.push(this.length(chunk) | table.get(chunk, Field.GOES_ON));
      total += this.length(chunk);
    }
    if (lengths.length === 0) return undefined;
    const memory = new SharedArrayBuffer(total);
    const bytes = new Uint8Array(memory);
    for (let at = 0; at < total; ) {
      const chunk = this.#shift(reader);
      const length = this.length(chunk);
      bytes.set(this.#view(chunk, length), at);
      at += length;
      const block = table.get(chunk, Field.BLOCK);
      if (block === IN_BUFFER) {
        this.#unlinkFromAges(chunk);
        this.#submitter.submit(Submission.RECYCLE, 0, 0, table.get(chunk, Field.BUFFER), 1);
      } else {
        this.#blocks.release(block);
      }
      table.free(chunk);
    }
    return { memory, lengths };
  }

  /** Copies unread bytes, of one message at most if there are any; returns how many. */
  read(reader: Reader, into: Uint8Array, messages = false): number {
    const table = this.#table;
    let count = 0;
    while (count < into.length && reader.firstChunk !== NO_CHUNK) {
      const chunk = reader.firstChunk;
      const length = Math.min(this.length(chunk), into.length - count);
      into.set(this.#view(chunk, length), count);
      count += length;
      table.set(chunk, Field.FROM, table.get(chunk, Field.FROM) + length);
      const rest = this.length(chunk) > 0;
      this.lastReadGoesOn = rest || this.goesOn(chunk);
      if (rest) break;
      this.#done(reader, this.#shift(reader));
      if (messages && !this.lastReadGoesOn) break;
    }
    return count;
  }

  /** Whether the message in a chunk goes on in the stream's next one. */
  goesOn(chunk: number): boolean {
    return this.#table.get(chunk, Field.GOES_ON) !== 0;
  }

  /** Copies unread bytes, as {@link read}, and leaves them; returns how many. */
  peek(reader: Reader, into: Uint8Array, messages = false): number {
    const table = this.#table;
    let count = 0;
    for (let chunk = reader.firstChunk; chunk !== NO_CHUNK && count < into.length; ) {
      const length = Math.min(this.length(chunk), into.length - count);
      into.set(this.#view(chunk, length), count);
      count += length;
      if (messages && !this.goesOn(chunk)) break;
      chunk = table.get(chunk, Field.NEXT);
    }
    return count;
  }

  /** Lends the first unread chunk, which there is: it stays where it is until it is given back. */
  lend(reader: Reader): number {
    const chunk = this.#shift(reader);
    const table = this.#table;
    if (table.get(chunk, Field.BLOCK) === IN_BUFFER) this.#unlinkFromAges(chunk);
    table.set(chunk, Field.LENT, 1);
    table.set(chunk, Field.OLDER, NO_CHUNK);
    table.set(chunk, Field.NEWER, reader.lentChunk);
    if (reader.lentChunk !== NO_CHUNK) table.set(reader.lentChunk, Field.OLDER, chunk);
    reader.lentChunk = chunk;
    return chunk;
  }

  /** Tells a row's tenants apart: a lent chunk is over once this is another. */
  version(chunk: number): number {
    return this.#table.get(chunk, Field.VERSION);
  }

  length(chunk: number): number {
    return this.#table.get(chunk, Field.TO) - this.#table.get(chunk, Field.FROM);
  }

  /** A chunk's bytes, where they lie; of one that is not lent, until it is copied out. */
  bytes(chunk: number): Uint8Array<SharedArrayBuffer> {
    return this.#view(chunk, this.length(chunk));
  }

  /** The first unread chunk, which there is, is not wanted any more. */
  dropFirst(reader: Reader): void {
    this.#done(reader, this.#shift(reader));
  }

  /** A lease ends: once per lent chunk. */
  giveBack(reader: Reader, chunk: number): void {
    this.#done(reader, chunk);
  }

  /** The stream ends: nothing of it is wanted any more, and its leases are over. */
  discard(reader: Reader): void {
    while (reader.firstChunk !== NO_CHUNK) this.#done(reader, this.#shift(reader));
    while (reader.lentChunk !== NO_CHUNK) this.#done(reader, reader.lentChunk);
  }

  /** As {@link discard}, and what is unread, in buffers, is left to the I/O thread, which knows what was not given back. */
  handBack(reader: Reader): void {
    while (reader.firstChunk !== NO_CHUNK) {
      const chunk = this.#shift(reader);
      this.#unlinkFromAges(chunk);
      this.#table.free(chunk);
    }
    this.discard(reader);
  }

  /** A drain begins: what came before may be copied. */
  beginDrain(): void {
    this.#drain = (this.#drain + 1) | 0;
  }

  /** Copies old chunks out of their buffers, if the I/O thread wishes it. */
  copyOut(): void {
    if (!this.wantsCopies()) return;
    const table = this.#table;
    for (let chunk = this.#oldest; chunk !== NO_CHUNK; chunk = this.#oldest) {
      if (table.get(chunk, Field.DRAIN) === this.#drain || !this.#blocks.hasRoomFor(this.length(chunk))) break;
      this.#unlinkFromAges(chunk);
      const { block, from } = this.#blocks.add(this.bytes(chunk));
      const to = from + this.length(chunk);
      table.set(chunk, Field.BLOCK, block);
      table.set(chunk, Field.FROM, from);
      table.set(chunk, Field.TO, to);
      this.#submitter.submit(Submission.RECYCLE, 0, 0, table.get(chunk, Field.BUFFER), 1);
    }
    this.#submitter.recycled();
  }

  /** Whether the next drain would copy: news to a thread that is about to sleep. */
  wantsCopies(): boolean {
    if (this.#oldest === NO_CHUNK || (buffersWanted(this.#words) & BuffersWanted.COPIED_OUT) === 0) return false;
    return this.#blocks.hasRoomFor(this.length(this.#oldest));
  }

  #view(chunk: number, length: number): Uint8Array<SharedArrayBuffer> {
    const table = this.#table;
    const from = table.get(chunk, Field.FROM);
    const block = table.get(chunk, Field.BLOCK);
    if (block !== IN_BUFFER) return this.#blocks.view(block, from, from + length);
    return this.#segments.view(table.get(chunk, Field.BUFFER), from, from + length);
  }

  #append(reader: Reader, chunk: number): void {
    if (reader.lastChunk === NO_CHUNK) reader.firstChunk = chunk;
    else this.#table.set(reader.lastChunk, Field.NEXT, chunk);
    reader.lastChunk = chunk;
  }

  /** Takes the first chunk, which there is, off the stream's unread ones. */
  #shift(reader: Reader): number {
    const chunk = reader.firstChunk;
    reader.firstChunk = this.#table.get(chunk, Field.NEXT);
    if (reader.firstChunk === NO_CHUNK) reader.lastChunk = NO_CHUNK;
    return chunk;
  }

  /** The chunk, which is off the unread ones, was read to the end, or is not wanted. */
  #done(reader: Reader, chunk: number): void {
    const table = this.#table;
    const block = table.get(chunk, Field.BLOCK);
    if (table.get(chunk, Field.LENT) === 1) this.#unlinkFromLent(reader, chunk);
    else if (block === IN_BUFFER) this.#unlinkFromAges(chunk);
    if (block === IN_BUFFER) {
      this.#submitter.submit(Submission.RECYCLE, 0, 0, table.get(chunk, Field.BUFFER));
    } else {
      this.#blocks.release(block);
      this.#submitter.submit(Submission.COPIES_READ, reader.slot, reader.generation, 1);
    }
    table.free(chunk);
    this.#submitter.recycled();
  }

  #unlinkFromAges(chunk: number): void {
    if (chunk === this.#oldest) this.#oldest = this.#table.get(chunk, Field.NEWER);
    if (chunk === this.#newest) this.#newest = this.#table.get(chunk, Field.OLDER);
    this.#unlink(chunk);
  }

  #unlinkFromLent(reader: Reader, chunk: number): void {
    if (chunk === reader.lentChunk) reader.lentChunk = this.#table.get(chunk, Field.NEWER);
    this.#unlink(chunk);
  }

  /** Out of whichever list it is in. */
  #unlink(chunk: number): void {
    const table = this.#table;
    const older = table.get(chunk, Field.OLDER);
    const newer = table.get(chunk, Field.NEWER);
    if (older !== NO_CHUNK) table.set(older, Field.NEWER, newer);
    if (newer !== NO_CHUNK) table.set(newer, Field.OLDER, older);
  }
}
