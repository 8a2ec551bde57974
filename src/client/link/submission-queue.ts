/**
 * This client's submissions: written to the ring, published in batches, and the I/O thread woken when it sleeps.
 */
import { buffersWanted } from '../../atomics/flag.js';
import { claimWake } from '../../atomics/io-sleep.js';
import { RingProducer } from '../../atomics/ring.js';
import type { ThreadLink } from '../../native.js';
import { type Geometry, Header, submissionRingBase } from '../../protocol/client-memory.js';
import { WakeReason } from '../../protocol/port-records.js';
import { SUBMISSION_WORDS } from '../../protocol/submissions.js';
import type { Submitter } from '../buffers/received-data.js';

export class SubmissionQueue implements Submitter {
  readonly #words: Int32Array;
  readonly #ioHeader: Int32Array;
  readonly #link: ThreadLink;
  readonly #ring: RingProducer;
  readonly #checkAlive: () => void;
  #closed = false;

  /** `checkAlive` throws when nobody takes submissions any more. */
  constructor(words: Int32Array, ioHeader: Int32Array, geometry: Geometry, link: ThreadLink, checkAlive: () => void) {
    this.#words = words;
    this.#ioHeader = ioHeader;
    this.#link = link;
    this.#checkAlive = checkAlive;
    this.#ring = new RingProducer(
      words,
      Header.SUBMISSION_TAIL,
      Header.SUBMISSION_HEAD,
      submissionRingBase(geometry),
      SUBMISSION_WORDS,
      geometry.submissionCapacity,
    );
  }

  /** Writes a submission; it is the I/O thread's with the next {@link flush}. */
  submit(opcode: number, slot: number, generation: number, a = 0, b = 0, c = 0): void {
    if (this.#closed) return;
    const at = this.#reserve();
    const words = this.#words;
    words[at] = opcode;
    words[at + 1] = slot;
    words[at + 2] = generation;
    words[at + 3] = a;
    words[at + 4] = b;
    words[at + 5] = c;
    this.#ring.advance();
  }

  /** Publishes what was submitted and wakes the I/O thread if it sleeps. */
  flush(): void {
    this.#ring.publish();
    if (claimWake(this.#ioHeader)) this.#link.wake(WakeReason.SUBMISSION);
  }

  /** Publishes without waking: for what the I/O thread can take whenever it is up. */
  flushLazily(): void {
    this.#ring.publish();
  }

  /** Buffers were given back: not worth a wake, unless a stream waits for them. */
  recycled(): void {
    this.#ring.publish();
    if (buffersWanted(this.#words) !== 0) this.flush();
  }

  /** The I/O thread is gone: buffers that come back, and the like, go nowhere. */
  close(): void {
    this.#closed = true;
  }

  #reserve(): number {
    for (;;) {
      const at = this.#ring.reserve();
      if (at >= 0) return at;
      // The I/O thread takes submissions whatever its clients do, so this wait is short and cannot deadlock.
      this.flush();
      this.#ring.waitForConsumer(1);
      this.#checkAlive();
    }
  }
}
