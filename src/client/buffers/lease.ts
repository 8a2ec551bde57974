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
import type { Reader, ReceivedData } from './received-data.js';

const EMPTY = new Uint8Array(new SharedArrayBuffer(0));

export class Lease {
  readonly #bytes: Uint8Array<SharedArrayBuffer>;
  readonly #received: ReceivedData | undefined;
  readonly #reader: Reader | undefined;
  readonly #chunk: number = 0;
  readonly #version: number = 0;
  readonly #trace: LeaseTrace | undefined;

  /** @internal Of the reader's first unread chunk; without a reader, the empty lease at the end of a stream. */
  constructor(received?: ReceivedData, reader?: Reader) {
    this.#received = received;
    this.#reader = reader;
    if (received === undefined || reader === undefined) {
      this.#bytes = EMPTY;
      return;
    }
    this.#chunk = received.lend(reader);
    this.#version = received.version(this.#chunk);
    this.#bytes = received.bytes(this.#chunk);
    this.#trace = LeaseTrace.of(this, received, this.#chunk);
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
    if (this.#received === undefined || this.#isOver()) return;
    this.#trace?.release(this.#bytes);
    this.#received.giveBack(this.#reader as Reader, this.#chunk);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #isOver(): boolean {
    return this.#received !== undefined && this.#received.version(this.#chunk) !== this.#version;
  }

  #check(): void {
    if (!this.#isOver()) return;
    throw fail('ERR_SIDEPORT_LEASE_RELEASED', undefined, this.#trace && { cause: this.#trace.cause });
  }
}
