/** The settings of an I/O thread: what users may give, and what the I/O thread is told. */
import type { WorkerOptions } from 'node:worker_threads';
import { fail } from '../../errors.js';
import type { IoThreadConfiguration } from '../../protocol/control.js';
import { checkInteger } from '../check-integer.js';

/** Settings of an I/O thread; sizes and limits hold for each client thread. */
export interface IoThreadOptions {
  /** Forces a backend, as the environment variable `SIDEPORT_BACKEND` does. */
  readonly backend?: string;
  /** Sources that one thread may have open, connections accepted ahead included. Default 16 384. */
  readonly maxSources?: number;
  /** Connections accepted before the program asks for them, per listener. Default 128. */
  readonly acceptAhead?: number;
  /**
   * How long a connection may lie with a thread that shares its listener and does not accept it, before it goes to another. That thread is then
   * dealt nothing, as long as there is another, until it accepts again. Default 5.
   */
  readonly passOnAfterMs?: number;
  /** How long a closed stream may go on sending what was written. Default 30 000. */
  readonly lingerMs?: number;
  /** How long a detached stream waits to be attached; then it is closed. Default 30 000. */
  readonly transferTimeoutMs?: number;
  /** Default 65 536 bytes. */
  readonly receiveBufferSize?: number;
  /** Receive buffers per thread to begin with; one stream may hold a quarter of them. Default 64. */
  readonly receiveBuffers?: number;
  /** Receive buffers per thread when their number has grown as far as it may. What is unused is given back. Default 256. */
  readonly maxReceiveBuffers?: number;
  /**
   * Memory per thread for unread data that is copied out of receive buffers, so that streams with nothing unread can go
   * on receiving. Beyond it the kernel's windows slow the peers down. Default 32 MiB.
   */
  readonly maxUnreadBytes?: number;
  /**
   * Receive buffers of datagrams: each takes one datagram and 128 bytes besides, and truncates a longer one. Default 2 048
   * bytes, enough for what an Ethernet frame carries.
   */
  readonly datagramBufferSize?: number;
  /** Datagram buffers per thread to begin with, once it has a datagram socket. Default 1 024. */
  readonly datagramBuffers?: number;
  /**
   * Datagram buffers per thread when their number has grown as far as it may: what a thread that does not read may have
   * waiting. Then the kernel holds datagrams, and drops those for which it has no room. Default 8 192.
   */
  readonly maxDatagramBuffers?: number;
  /** Memory is taken only as far as a buffer is filled. Default 65 536 bytes. */
  readonly sendBufferSize?: number;
  /** Send buffers per thread. Default 256. */
  readonly sendBuffers?: number;
  /** Bytes of one stream, written and unsent, at which it is no longer writable. Default 1 MiB. */
  readonly sendHighWaterBytes?: number;
  /** Bytes at which it is writable again. Default: a quarter of the high-water mark. */
  readonly sendLowWaterBytes?: number;
  /** How long to look for work before sleeping, in microseconds; adaptive. 0 never spins. Default 50. */
  readonly spinUs?: number;
  /** The worker's file, for bundlers that move it. */
  readonly workerUrl?: URL;
  /** The addon's file, for bundlers that move it. */
  readonly addonPath?: string;
  /** As for any `Worker`; `maxYoungGenerationSizeMb` is 3 unless given. */
  readonly resourceLimits?: WorkerOptions['resourceLimits'];
}

/** Numeric options: default, least, most. A default that depends on another option is below. */
const NUMBERS = {
  maxSources: [16_384, 1, 2 ** 20],
  acceptAhead: [128, 1, 65_536],
  passOnAfterMs: [5, 0, 2 ** 31 - 1],
  lingerMs: [30_000, 0, 2 ** 31 - 1],
  transferTimeoutMs: [30_000, 0, 2 ** 31 - 1],
  receiveBufferSize: [65_536, 64, 2 ** 24],
  receiveBuffers: [64, 1, 65_536],
  maxReceiveBuffers: [256, 1, 65_536],
  maxUnreadBytes: [32 * 2 ** 20, 0, 2 ** 31 - 1],
  datagramBufferSize: [2048, 192, 2 ** 24],
  datagramBuffers: [1024, 2, 65_536],
  maxDatagramBuffers: [8192, 2, 2 ** 20],
  sendBufferSize: [65_536, 64, 2 ** 24],
  sendBuffers: [256, 1, 65_536],
  sendHighWaterBytes: [2 ** 20, 1, 2 ** 30],
  sendLowWaterBytes: [2 ** 18, 0, 2 ** 30],
  spinUs: [50, 0, 1_000_000],
} as const;

/** @throws ERR_SIDEPORT_INVALID_ARG */
export function configure(options: IoThreadOptions): IoThreadConfiguration {
  const given = Object.fromEntries(
    Object.entries(NUMBERS).map(([name, [fallback, least, most]]) => {
      const value = options[name as keyof typeof NUMBERS] ?? fallback;
      checkInteger(name, value, least, most);
      return [name, value];
    }),
  ) as Record<keyof typeof NUMBERS, number>;
  const maxReceiveBuffers = options.maxReceiveBuffers ?? Math.max(given.maxReceiveBuffers, given.receiveBuffers);
  const maxDatagramBuffers = options.maxDatagramBuffers ?? Math.max(given.maxDatagramBuffers, given.datagramBuffers);
  const sendLowWaterBytes = options.sendLowWaterBytes ?? given.sendHighWaterBytes >> 2;
  if (maxReceiveBuffers < given.receiveBuffers) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', 'maxReceiveBuffers must not be less than receiveBuffers');
  }
  if (maxDatagramBuffers < given.datagramBuffers) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', 'maxDatagramBuffers must not be less than datagramBuffers');
  }
  if (sendLowWaterBytes >= given.sendHighWaterBytes) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', 'sendLowWaterBytes must be less than sendHighWaterBytes');
  }
  // An empty variable counts as unset, as it does for Node's own.
  const backend = options.backend ?? (process.env.SIDEPORT_BACKEND || undefined);
  return { ...given, maxReceiveBuffers, maxDatagramBuffers, sendLowWaterBytes, backend, addonPath: options.addonPath };
}
