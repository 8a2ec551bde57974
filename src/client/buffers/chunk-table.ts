/**
 * What is known of each received chunk, in one table of integers: traffic allocates nothing per chunk, and a stream with nothing
 * unread has nothing here. A chunk is named by its row. Rows are used again; the version tells a row's tenants apart.
 *
 * ```
 *   free ──allocate──► unread ──► lent ──┐
 *    ▲                    └──────────────┤
 *    └───────────────── free ◄───────────┘   version + 1
 * ```
 */
export const NO_CHUNK = -1;
/** In `BLOCK`: the chunk lies in its receive buffer. */
export const IN_BUFFER = -1;

/** Word offsets within a row. */
export const Field = {
  /** The receive buffer's name; meaningless once copied. */
  BUFFER: 0,
  /** The copy block, or {@link IN_BUFFER}. */
  BLOCK: 1,
  /** The unread part, within buffer or block. */
  FROM: 2,
  TO: 3,
  /** 1 while a lease holds it. */
  LENT: 4,
  /** Which drain brought it. */
  DRAIN: 5,
  VERSION: 6,
  /** The stream's next chunk; of a free row, the next free one. */
  NEXT: 7,
  /** Neighbours by age, while it could be copied; among the stream's lent chunks, while it is lent. */
  OLDER: 8,
  NEWER: 9,
  /** MESSAGE_GOES_ON: the message in it goes on in the stream's next chunk; else 0. */
  GOES_ON: 10,
} as const;

const ROW_WORDS = 11;
const ROWS_AT_FIRST = 64;

export class ChunkTable {
  #words = new Int32Array(0);
  #firstFree = NO_CHUNK;

  get(row: number, field: number): number {
    return this.#words[row * ROW_WORDS + field] as number;
  }

  set(row: number, field: number, value: number): void {
    this.#words[row * ROW_WORDS + field] = value;
  }

  /** A row with `BUFFER` to `TO` set, in no list. */
  allocate(buffer: number, length: number): number {
    if (this.#firstFree === NO_CHUNK) this.#grow();
    const row = this.#firstFree;
    const words = this.#words;
    const at = row * ROW_WORDS;
    this.#firstFree = words[at + Field.NEXT] as number;
    words[at + Field.BUFFER] = buffer;
    words[at + Field.BLOCK] = IN_BUFFER;
    words[at + Field.FROM] = 0;
    words[at + Field.TO] = length;
    words[at + Field.LENT] = 0;
    words[at + Field.NEXT] = NO_CHUNK;
    words[at + Field.OLDER] = NO_CHUNK;
    words[at + Field.NEWER] = NO_CHUNK;
    words[at + Field.GOES_ON] = 0;
    return row;
  }

  free(row: number): void {
    const words = this.#words;
    const at = row * ROW_WORDS;
    words[at + Field.VERSION] = (words[at + Field.VERSION] as number) + 1;
    words[at + Field.NEXT] = this.#firstFree;
    this.#firstFree = row;
  }

  #grow(): void {
    const from = this.#words.length / ROW_WORDS;
    const to = Math.max(ROWS_AT_FIRST, 2 * from);
    const words = new Int32Array(to * ROW_WORDS);
    words.set(this.#words);
    this.#words = words;
    for (let row = from; row < to; row++) this.set(row, Field.NEXT, row + 1 < to ? row + 1 : this.#firstFree);
    this.#firstFree = from;
  }
}
