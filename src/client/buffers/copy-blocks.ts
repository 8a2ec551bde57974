/**
 * Memory for data that was copied out of receive buffers: blocks that are filled one after another and freed whole,
 * when the last chunk in them has been read. So small chunks of many streams share a block.
 */
const BLOCK_BYTES = 65_536;

export class CopyBlock {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** Filled so far. */
  used = 0;
  /** Chunks in it that nobody has read to the end. */
  chunks = 0;

  constructor(size: number) {
    // Shared, though no other thread sees it: a lease's bytes are the same kind of memory wherever they lie.
    this.bytes = new Uint8Array(new SharedArrayBuffer(size));
  }
}

export class CopyBlocks {
  readonly #maxBytes: number;
  readonly #changed: (bytes: number) => void;
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

  /** Copies a chunk; the caller knows that there is room. Returns its block; it lies at the end of what is used. */
  add(data: Uint8Array): CopyBlock {
    const block = this.#blockFor(data.length);
    block.bytes.set(data, block.used);
    block.used += data.length;
    block.chunks++;
    return block;
  }

  /** A chunk of the block was read to the end. */
  release(block: CopyBlock): void {
    if (--block.chunks > 0) return;
    if (block === this.#current) block.used = 0;
    else this.#count(-block.bytes.length);
  }

  #blockFor(length: number): CopyBlock {
    const current = this.#current;
    if (current && this.#fitsCurrent(length)) return current;
    if (current?.chunks === 0) this.#count(-current.bytes.length);
    this.#current = new CopyBlock(Math.max(length, BLOCK_BYTES));
    this.#count(this.#current.bytes.length);
    return this.#current;
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
