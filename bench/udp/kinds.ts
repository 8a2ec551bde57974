/** What bench/udp compares, and what a receiver tells. */

export type Kind = 'sideport' | 'dgram';

export interface Receiver {
  readonly label: string;
  readonly kind: Kind;
  /** SO_RCVBUF; 0 leaves the system's default. */
  readonly bufferBytes: number;
}

const LARGE_BYTES = 4 * 2 ** 20;

export const RECEIVERS: readonly Receiver[] = [
  { label: 'sideport', kind: 'sideport', bufferBytes: 0 },
  { label: 'node:dgram', kind: 'dgram', bufferBytes: 0 },
  { label: 'sideport, 4 MiB SO_RCVBUF', kind: 'sideport', bufferBytes: LARGE_BYTES },
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
