/**
 * A lease: received bytes on loan to their reader, in the shared buffer into which the kernel wrote them.
 *
 * ```
 *   leased ──release(), or the stream's close──► over: the buffer is the I/O thread's again
 * ```
 *
 * With `SIDEPORT_DEBUG=leases` see lease-trace.ts.
 */
import { fail } from '../../errors.js';
import { LeaseTrace } from './lease-trace.js';
import type { Chunk } from './received-data.js';

/** What a lease gives its chunk back to. */
export interface Lender {
  giveBack(chunk: Chunk): void;
}

export class Lease {
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #chunk: Chunk | undefined;
  readonly #lender: Lender | undefined;
  readonly #trace: LeaseTrace | undefined;

  /** @internal Without a chunk: the empty lease at the end of a stream. */
  constructor(bytes: Uint8Array<SharedArrayBuffer>, chunk?: Chunk, lender?: Lender) {
    this.#bytes = bytes;
    this.#chunk = chunk;
    this.#lender = lender;
    if (chunk) this.#trace = LeaseTrace.of(this, chunk);
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
    if (!this.#chunk || this.#chunk.over) return;
    this.#trace?.release(this.#bytes);
    this.#lender?.giveBack(this.#chunk);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #check(): void {
    if (!this.#chunk?.over) return;
    throw fail('ERR_SIDEPORT_LEASE_RELEASED', undefined, this.#trace && { cause: this.#trace.cause });
  }
}
