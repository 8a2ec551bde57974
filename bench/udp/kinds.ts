/** What bench/udp compares, and what a receiver tells. */

export type Kind = 'sideport' | 'dgram';

export interface Receiver {
  readonly label: string;
  readonly kind: Kind;
  /** SO_RCVBUF; 0 leaves the system's own. Undefined: what the library does by itself, which with node:dgram is the same. */
  readonly bufferBytes?: number;
}

const LARGE_BYTES = 4 * 2 ** 20;

export const RECEIVERS: readonly Receiver[] = [
  { label: 'sideport: asks for 4 MiB', kind: 'sideport' },
  { label: "node:dgram: the system's", kind: 'dgram' },
  { label: "sideport, the system's SO_RCVBUF", kind: 'sideport', bufferBytes: 0 },
  { label: 'node:dgram, 4 MiB SO_RCVBUF', kind: 'dgram', bufferBytes: LARGE_BYTES },
];

/** Milliseconds from the sending of a datagram. */
export interface Delay {
  readonly p50: number;
  readonly p99: number;
}

export interface Received {
  readonly received: number;
  /** Until the program had it. */
  readonly readMs: Delay;
  /** Until the moment that the receiver calls its arrival. */
  readonly arrivedMs: Delay;
}
