/**
 * Memory for data that was copied out of receive buffers: blocks that are filled one after another and freed whole,
 * when the last chunk in them has been read. So small chunks of many streams share a block.
 */
const BLOCK_BYTES = 65_536;

interface CopyBlock {
  readonly number: number;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** Filled so far. */
  used: number;
  /** Chunks in it that nobody has read to the end. */
  chunks: number;
}

export class CopyBlocks {
  readonly #maxBytes: number;
  readonly #changed: (bytes: number) => void;
  /** By number. */
  readonly #blocks: (CopyBlock | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  #bytes = 0;
  #current: CopyBlock | undefined;

  /** `changed` is told how much memory the blocks take. */
  constructor(maxBytes: number, changed: (bytes: number) => void) {
    this.#maxBytes = maxBytes;
    this.#changed = changed;
  }

  hasRoomFor(length: number): boolean {
    return this.#fitsCurrent(length) || this.#bytes + Math.max(length, BLOCK_BYTES) <= this.#maxBytes;
  }

  /** Copies a chunk; the caller knows that there is room. Returns its block, and where in it the chunk begins. */
  add(data: Uint8Array): { block: number; from: number } {
    const block = this.#blockFor(data.length);
    const from = block.used;
    block.bytes.set(data, from);
    block.used += data.length;
    block.chunks++;
    return { block: block.number, from };
  }

  /** Takes over memory with `chunks` chunks in it, whatever the limit: it exists already. Returns its block. */
  adopt(memory: SharedArrayBuffer, chunks: number): number {
    const bytes = new Uint8Array(memory);
    const number = this.#freeNumbers.pop() ?? this.#blocks.length;
    this.#blocks[number] = { number, bytes, used: bytes.length, chunks };
    this.#count(bytes.length);
    return number;
  }

  view(number: number, from: number, to: number): Uint8Array<SharedArrayBuffer> {
    return this.#block(number).bytes.subarray(from, to);
  }

  /** A chunk of the block was read to the end. */
  release(number: number): void {
    const block = this.#block(number);
    if (--block.chunks > 0) return;
    if (block === this.#current) block.used = 0;
    else this.#drop(block);
  }

  #block(number: number): CopyBlock {
    return this.#blocks[number] as CopyBlock;
  }

  #blockFor(length: number): CopyBlock {
    const current = this.#current;
    if (current && this.#fitsCurrent(length)) return current;
    if (current?.chunks === 0) this.#drop(current);
    // Shared, though no other thread sees it: a lease's bytes are the same kind of memory wherever they lie.
    const bytes = new Uint8Array(new SharedArrayBuffer(Math.max(length, BLOCK_BYTES)));
    const number = this.#freeNumbers.pop() ?? this.#blocks.length;
    this.#current = this.#blocks[number] = { number, bytes, used: 0, chunks: 0 };
    this.#count(bytes.length);
    return this.#current;
  }

  #drop({ number, bytes }: CopyBlock): void {
    this.#blocks[number] = undefined;
    this.#freeNumbers.push(number);
    this.#count(-bytes.length);
  }

  #fitsCurrent(length: number): boolean {
    const current = this.#current;
    return current !== undefined && current.used + length <= current.bytes.length;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#changed(this.#bytes);
  }
}
