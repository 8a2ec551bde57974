/** A received datagram as users see it: what is said of it, and its bytes on loan. */

import { decodeAddress, type SocketAddress } from '../../protocol/address.js';
import { toLocal } from '../../protocol/clock.js';
import { HEADER_BYTES, Header, TRUNCATED, UNIX_FAMILY } from '../../protocol/datagram.js';
import { LITTLE_ENDIAN } from '../../protocol/endian.js';
import type { Lease } from '../buffers/lease.js';

/** What is told of a datagram that was copied into a buffer. */
export interface Received<Address> {
  /** Bytes copied. 0 for an empty datagram, which is one all the same. */
  readonly length: number;
  /** The datagram was longer: than the buffer that it was copied into, or than the I/O thread's `datagramBufferSize` allows. The rest is lost. */
  readonly truncated: boolean;
  /** Who sent it. */
  readonly from: Address;
  /** When it arrived on the I/O thread, in milliseconds as this thread's `performance.now()`. */
  readonly arrivedMs: number;
}

export type DecodeSource<Address> = (bytes: Uint8Array) => Address;

/** Copies a datagram, which begins with its header. */
export function copyDatagram<Address>(
  datagram: Uint8Array,
  into: Uint8Array,
  decode: DecodeSource<Address>,
): Received<Address> {
  const payload = datagram.length - HEADER_BYTES;
  const length = Math.min(payload, into.length);
  into.set(datagram.subarray(HEADER_BYTES, HEADER_BYTES + length));
  return {
    length,
    truncated: length < payload || isTruncated(datagram),
    from: decode(datagram),
    arrivedMs: arrivedMs(datagram),
  };
}

/** A datagram on loan to its reader, in the shared buffer into which the kernel wrote it. */
export class Datagram<Address = SocketAddress> {
  readonly #lease: Lease;
  readonly #decode: DecodeSource<Address>;

  /** @internal */
  constructor(lease: Lease, decode: DecodeSource<Address>) {
    this.#lease = lease;
    this.#decode = decode;
  }

  /** The bytes, in shared memory; they hold another datagram after the release. @throws ERR_SIDEPORT_LEASE_RELEASED */
  get bytes(): Uint8Array<SharedArrayBuffer> {
    return this.#lease.bytes.subarray(HEADER_BYTES);
  }

  /** Bytes of the datagram, 0 for an empty one. */
  get length(): number {
    return this.#lease.length - HEADER_BYTES;
  }

  /** The datagram was longer than the I/O thread's `datagramBufferSize` allows. @throws ERR_SIDEPORT_LEASE_RELEASED */
  get truncated(): boolean {
    return isTruncated(this.#lease.bytes);
  }

  /** Who sent it. @throws ERR_SIDEPORT_LEASE_RELEASED */
  get from(): Address {
    return this.#decode(this.#lease.bytes);
  }

  /** When it arrived on the I/O thread, as this thread's `performance.now()`. @throws ERR_SIDEPORT_LEASE_RELEASED */
  get arrivedMs(): number {
    return arrivedMs(this.#lease.bytes);
  }

  /** A private copy of the bytes, which outlives the loan. @throws ERR_SIDEPORT_LEASE_RELEASED */
  copy(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes);
  }

  /** Gives the buffer back. Idempotent. */
  release(): void {
    this.#lease.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** The sender of a UDP datagram; the header is the port's, which has always written one. */
export function decodeUdpSource(datagram: Uint8Array): SocketAddress {
  return decodeAddress(datagram, Header.SOURCE) ?? { address: '', family: 'IPv4', port: 0 };
}

/** The sender's path, or a zero byte and its abstract name; undefined for one without a name. */
export function decodeUnixSource(datagram: Uint8Array): string | undefined {
  const length = datagram[Header.SOURCE + 1] as number;
  if (datagram[Header.SOURCE] !== UNIX_FAMILY || length === 0) return undefined;
  return Buffer.from(datagram.slice(Header.SOURCE + 2, Header.SOURCE + 2 + length)).toString();
}

function isTruncated(datagram: Uint8Array): boolean {
  return (int32(datagram, Header.FLAGS) & TRUNCATED) !== 0;
}

function int32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at).getInt32(0, LITTLE_ENDIAN);
}

function arrivedMs(datagram: Uint8Array): number {
  const view = new DataView(datagram.buffer, datagram.byteOffset + Header.ARRIVED_MS);
  return toLocal(view.getFloat64(0, LITTLE_ENDIAN));
}
