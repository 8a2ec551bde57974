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
import { Submission } from '../../protocol/submissions.js';
import { type CopyBlock, CopyBlocks } from './copy-blocks.js';
import type { Segments } from './segments.js';

/** Submits for this client, see `Client.submit`. */
export interface Submitter {
  submit(opcode: number, slot: number, generation: number, a?: number, b?: number): void;
  /** Publishes; wakes the I/O thread only if it waits for buffers. */
  recycled(): void;
}

/** The stream that a chunk belongs to, by its name on the I/O thread. */
export interface ChunkOwner {
  readonly slot: number;
  readonly generation: number;
}

export class Chunk {
  readonly owner: ChunkOwner;
  /** The receive buffer's name; meaningless once copied. */
  readonly buffer: number;
  /** The unread part, within the buffer or the block. */
  from = 0;
  to: number;
  /** Set when it was copied out. */
  block: CopyBlock | undefined;
  /** Its reader has given it back, or its stream has ended: the bytes are the I/O thread's. */
  over = false;
  /** Which drain brought it. */
  readonly drain: number;
  /** Links of the list of chunks that could be copied. */
  older: Chunk | undefined;
  newer: Chunk | undefined;

  constructor(owner: ChunkOwner, buffer: number, length: number, drain: number) {
    this.owner = owner;
    this.buffer = buffer;
    this.to = length;
    this.drain = drain;
  }

  get length(): number {
    return this.to - this.from;
  }
}

export class ReceivedData {
  readonly #words: Int32Array;
  readonly #segments: Segments;
  readonly #submitter: Submitter;
  readonly #blocks: CopyBlocks;
  #drain = 0;
  #oldest: Chunk | undefined;
  #newest: Chunk | undefined;

  constructor(words: Int32Array, segments: Segments, submitter: Submitter, maxUnreadBytes: number) {
    this.#words = words;
    this.#segments = segments;
    this.#submitter = submitter;
    this.#blocks = new CopyBlocks(maxUnreadBytes, (bytes) => setCopiedBytes(words, bytes));
  }

  /** A DATA event. */
  add(owner: ChunkOwner, buffer: number, length: number): Chunk {
    const chunk = new Chunk(owner, buffer, length, this.#drain);
    chunk.older = this.#newest;
    if (this.#newest) this.#newest.newer = chunk;
    else this.#oldest = chunk;
    this.#newest = chunk;
    return chunk;
  }

  /** The first `length` unread bytes of a chunk, where they lie. */
  view({ block, buffer, from }: Chunk, length: number): Uint8Array<SharedArrayBuffer> {
    return block ? block.bytes.subarray(from, from + length) : this.#segments.view(buffer, from, from + length);
  }

  /** A lease is made of the chunk: it stays where it is until {@link done}. */
  lend(chunk: Chunk): void {
    if (!chunk.block) this.#unlink(chunk);
  }

  /** The chunk was read to the end, or is not wanted. Once per chunk. */
  done(chunk: Chunk): void {
    const { block, owner, buffer } = chunk;
    chunk.over = true;
    if (block) {
      this.#blocks.release(block);
      this.#submitter.submit(Submission.COPIES_READ, owner.slot, owner.generation, 1);
    } else {
      this.#unlink(chunk);
      this.#submitter.submit(Submission.RECYCLE, 0, 0, buffer);
    }
    this.#submitter.recycled();
  }

  /** A drain begins: what came before may be copied. */
  beginDrain(): void {
    this.#drain++;
  }

  /** Copies old chunks out of their buffers, if the I/O thread wishes it. */
  copyOut(): void {
    if (!this.wantsCopies()) return;
    for (let chunk = this.#oldest; chunk && chunk.drain < this.#drain; chunk = this.#oldest) {
      if (!this.#blocks.hasRoomFor(chunk.length)) break;
      this.#unlink(chunk);
      const block = this.#blocks.add(this.view(chunk, chunk.length));
      chunk.block = block;
      [chunk.from, chunk.to] = [block.used - chunk.length, block.used];
      this.#submitter.submit(Submission.RECYCLE, 0, 0, chunk.buffer, 1);
    }
    this.#submitter.recycled();
  }

  /** Whether the next drain would copy: news to a thread that is about to sleep. */
  wantsCopies(): boolean {
    const oldest = this.#oldest;
    if (!oldest || (buffersWanted(this.#words) & BuffersWanted.COPIED_OUT) === 0) return false;
    return this.#blocks.hasRoomFor(oldest.length);
  }

  /** Idempotent: a chunk is linked while it has a neighbour or is an end. */
  #unlink(chunk: Chunk): void {
    if (chunk.older) chunk.older.newer = chunk.newer;
    else if (this.#oldest === chunk) this.#oldest = chunk.newer;
    if (chunk.newer) chunk.newer.older = chunk.older;
    else if (this.#newest === chunk) this.#newest = chunk.older;
    chunk.older = chunk.newer = undefined;
  }
}
