/**
 * The shared words of a channel (client/sources/channel.ts): how many values are under way.
 *
 * ```
 *   0 IN_FLIGHT  reserved by senders, given back by the receiver   | 1 RECEIVER_CLOSED | 2 CAPACITY (constant)
 * ```
 *
 * Ordering. A place is reserved by compare-and-swap, so never more than CAPACITY are; a sender that found none sleeps on the very value that
 * it saw, and whoever changes it notifies. Everything else is carried by the ports.
 */
const Word = { IN_FLIGHT: 0, RECEIVER_CLOSED: 1, CAPACITY: 2, COUNT: 3 } as const;

/** A receiver whose thread has ended gives nothing back and notifies nobody. */
const SLICE_MS = 100;

export class ChannelWords {
  readonly #words: Int32Array<SharedArrayBuffer>;

  private constructor(words: Int32Array<SharedArrayBuffer>) {
    this.#words = words;
  }

  static create(capacity: number): ChannelWords {
    const words = new Int32Array(new SharedArrayBuffer(4 * Word.COUNT));
    words[Word.CAPACITY] = capacity;
    return new ChannelWords(words);
  }

  static of(buffer: SharedArrayBuffer): ChannelWords {
    return new ChannelWords(new Int32Array(buffer));
  }

  get buffer(): SharedArrayBuffer {
    return this.#words.buffer;
  }

  /** Takes a place for one value. False when there is none. */
  reserve(): boolean {
    for (;;) {
      const count = Atomics.load(this.#words, Word.IN_FLIGHT);
      if (count >= (this.#words[Word.CAPACITY] as number)) return false;
      if (Atomics.compareExchange(this.#words, Word.IN_FLIGHT, count, count + 1) === count) return true;
    }
  }

  giveBack(): void {
    Atomics.sub(this.#words, Word.IN_FLIGHT, 1);
    Atomics.notify(this.#words, Word.IN_FLIGHT);
  }

  /** Sleeps while the channel is full, for a while at most. */
  awaitRoom(timeoutMs: number): void {
    const count = Atomics.load(this.#words, Word.IN_FLIGHT);
    if (count < (this.#words[Word.CAPACITY] as number) || this.isReceiverClosed) return;
    Atomics.wait(this.#words, Word.IN_FLIGHT, count, Math.min(timeoutMs, SLICE_MS));
  }

  get isReceiverClosed(): boolean {
    return Atomics.load(this.#words, Word.RECEIVER_CLOSED) !== 0;
  }

  closeReceiver(): void {
    Atomics.store(this.#words, Word.RECEIVER_CLOSED, 1);
    Atomics.notify(this.#words, Word.IN_FLIGHT);
  }
}
