/**
 * Publication in a single-producer, single-consumer ring, and the only code that touches ring indices.
 *
 * Indices count entries for ever (modulo 2^32) and are masked to a position; so head === tail is empty and
 * tail - head === capacity is full, without a wasted entry.
 *
 * ```
 *         head (consumer writes)         tail (producer writes)
 *           ▼                              ▼
 *   . . . . [ e ][ e ][ e ][ e ][ e ][ e ] . . . .
 *           taken in this order ──►        written here next
 * ```
 *
 * Ordering. The producer writes an entry (and the buffer it names) with plain stores and then stores the tail with
 * `Atomics.store`. A consumer whose `Atomics.load` reads that tail synchronises with the store (ECMA-262 memory
 * model: a SeqCst read that reads from a SeqCst write), so all the producer wrote before it is visible. In the
 * other direction the consumer is done reading before it stores the head, and the producer reuses an entry
 * only after it loaded a head past it. Storing either index before the work it announces breaks exactly this;
 * `test/model/ring.pml` shows both failures.
 */
export class RingProducer {
  readonly #words: Int32Array;
  readonly #tailAt: number;
  readonly #headAt: number;
  readonly #base: number;
  readonly #entryWords: number;
  readonly #capacity: number;
  #tail: number;
  /** The consumer's head as last seen; it only grows, so an old value is merely pessimistic. */
  #head: number;
  #published: number;

  constructor(words: Int32Array, tailAt: number, headAt: number, base: number, entryWords: number, capacity: number) {
    this.#words = words;
    this.#tailAt = tailAt;
    this.#headAt = headAt;
    this.#base = base;
    this.#entryWords = entryWords;
    this.#capacity = capacity;
    this.#tail = Atomics.load(words, tailAt);
    this.#head = Atomics.load(words, headAt);
    this.#published = this.#tail;
  }

  /** The word at which to write the next entry, or -1 while the ring is full. {@link advance} completes it. */
  reserve(): number {
    if (((this.#tail - this.#head) | 0) >= this.#capacity) {
      this.#head = Atomics.load(this.#words, this.#headAt);
      if (((this.#tail - this.#head) | 0) >= this.#capacity) return -1;
    }
    return this.#base + (this.#tail & (this.#capacity - 1)) * this.#entryWords;
  }

  /** The entry at {@link reserve} is written; it becomes visible with the next {@link publish}. */
  advance(): void {
    this.#tail = (this.#tail + 1) | 0;
  }

  /** Hands everything advanced over to the consumer. False if there was nothing new. */
  publish(): boolean {
    if (this.#published === this.#tail) return false;
    this.#published = this.#tail;
    Atomics.store(this.#words, this.#tailAt, this.#tail);
    return true;
  }

  /**
   * Sleeps while the ring is full, `timeoutMs` at most. The consumer does not notify: a full ring is rare, and a
   * notification on every release would cost more than the millisecond that a waiting producer may lose.
   */
  waitForConsumer(timeoutMs: number): void {
    const head = Atomics.load(this.#words, this.#headAt);
    if (head === this.#head) Atomics.wait(this.#words, this.#headAt, head, timeoutMs);
  }
}

export class RingConsumer {
  readonly #words: Int32Array;
  readonly #tailAt: number;
  readonly #headAt: number;
  readonly #base: number;
  readonly #entryWords: number;
  readonly #capacity: number;
  #head: number;

  constructor(words: Int32Array, tailAt: number, headAt: number, base: number, entryWords: number, capacity: number) {
    this.#words = words;
    this.#tailAt = tailAt;
    this.#headAt = headAt;
    this.#base = base;
    this.#entryWords = entryWords;
    this.#capacity = capacity;
    this.#head = Atomics.load(words, headAt);
  }

  /** Whether an entry is waiting. */
  hasEntries(): boolean {
    return Atomics.load(this.#words, this.#tailAt) !== this.#head;
  }

  /**
   * How many entries are waiting; -1 when the producer claims more than the ring holds, which no honest
   * producer does. Each of them is read at {@link at} and then taken with {@link release}.
   */
  available(): number {
    const count = (Atomics.load(this.#words, this.#tailAt) - this.#head) | 0;
    return count >= 0 && count <= this.#capacity ? count : -1;
  }

  /** The word of the `offset`-th waiting entry. Masked, so never outside the ring. */
  at(offset: number): number {
    return this.#base + ((this.#head + offset) & (this.#capacity - 1)) * this.#entryWords;
  }

  /** Gives the first `count` waiting entries back to the producer; they must not be read any more. */
  release(count: number): void {
    if (count === 0) return;
    this.#head = (this.#head + count) | 0;
    Atomics.store(this.#words, this.#headAt, this.#head);
  }
}
