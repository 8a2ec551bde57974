/**
 * A lease: received bytes on loan to their reader, in the shared buffer into which the kernel wrote them.
 *
 * ```
 *   leased ──release(), or the stream's close──► released: the buffer is the I/O thread's again
 * ```
 */
import { fail } from '../errors.js';

/** What a lease gives its buffer back to. */
export interface Lender {
  giveBack(lease: Lease): void;
}

export class Lease {
  /** @internal */
  readonly buffer: number;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  #lender: Lender | undefined;

  /** @internal Without a lender: the empty lease at the end of a stream. */
  constructor(bytes: Uint8Array<SharedArrayBuffer>, buffer: number, lender: Lender | undefined) {
    this.#bytes = bytes;
    this.buffer = buffer;
    this.#lender = lender;
  }

  /**
   * The bytes, in shared memory (which some web APIs refuse, see {@link copy}). Do not keep it: the memory holds
   * other data after the release. @throws ERR_SIDEPORT_LEASE_RELEASED
   */
  get bytes(): Uint8Array<SharedArrayBuffer> {
    this.#check();
    return this.#bytes;
  }

  /** Bytes leased; 0 only at the end of the stream. */
  get length(): number {
    return this.#bytes.length;
  }

  /** A private copy, which outlives the lease. @throws ERR_SIDEPORT_LEASE_RELEASED */
  copy(): Uint8Array<ArrayBuffer> {
    this.#check();
    return new Uint8Array(this.#bytes);
  }

  /** Gives the bytes back. Idempotent. */
  release(): void {
    const lender = this.#lender;
    this.#lender = undefined;
    lender?.giveBack(this);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #check(): void {
    if (this.#lender === undefined && this.#bytes.length > 0) throw fail('ERR_SIDEPORT_LEASE_RELEASED');
  }
}
