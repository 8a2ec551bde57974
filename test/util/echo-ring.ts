/** A ring whose entries tell their number in every word, so that a torn or stale one is noticed. */
import { RingConsumer, RingProducer } from '../../src/atomics/ring.js';

const [TAIL, HEAD, BASE] = [0, 16, 32];

/** Both ends of a ring in given or new memory. */
export class EchoRing {
  static readonly WORDS = 4;
  readonly memory: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly producer: RingProducer;
  readonly consumer: RingConsumer;

  constructor(capacity: number, memory = new SharedArrayBuffer(4 * (BASE + capacity * EchoRing.WORDS))) {
    this.memory = memory;
    this.words = new Int32Array(memory);
    this.producer = new RingProducer(this.words, TAIL, HEAD, BASE, EchoRing.WORDS, capacity);
    this.consumer = new RingConsumer(this.words, TAIL, HEAD, BASE, EchoRing.WORDS, capacity);
  }

  /** What stands in a word of the `entry`-th entry. */
  static word(entry: number, word: number): number {
    return Math.imul(entry + 1, 0x9e3779b1) ^ word;
  }
}
