/**
 * The control path: the messages by which a thread attaches to an I/O thread, and what promises travel over.
 * Bytes and events never take it.
 *
 * BroadcastChannels carry it, because a SharedArrayBuffer goes through one and any thread can open one by name,
 * without being handed a port by the thread that started the I/O thread (which may be blocked, or gone).
 * Every message is followed by a wake with `WakeReason.CONTROL`.
 *
 * ```
 *   client                              I/O thread
 *   opens clientChannel(id)
 *   posts AttachRequest on portChannel(port), wakes ──► receives, builds the client's memory,
 *   sleeps on request.answer                            opens clientChannel(id), posts AttachAnswer,
 *   receives AttachAnswer ◄──────────────────────────── stores ANSWERED and notifies
 *   afterwards: comlink over clientChannel(id)
 * ```
 */

import type { MessagePort } from 'node:worker_threads';
import type { SegmentDescription } from './buffer-name.js';
import type { Geometry } from './client-memory.js';
import type { UnreadData } from './transfer.js';

/** Where an I/O thread listens for attaching threads. */
export function portChannel(portId: number): string {
  return `sideport/port/${portId}`;
}

/** Where one client and the I/O thread talk. */
export function clientChannel(clientId: number): string {
  return `sideport/client/${clientId}`;
}

/** Where a client finds the memory that events speak of (`Announcement`). */
export function announcementChannel(clientId: number): string {
  return `sideport/announcements/${clientId}`;
}

/**
 * Posted before the event that speaks of the memory is published: whoever reads the event finds it. On a channel of
 * its own, where a thread that blocks can take it without taking comlink's messages.
 */
export type Announcement = SegmentAnnouncement | LateData;

/** A segment by which the receive pool has grown; events name its buffers from now on. */
export interface SegmentAnnouncement {
  readonly kind: 'segment';
  readonly number: number;
  readonly segment: SegmentDescription;
}

/** What a LATE event speaks of. */
export interface LateData {
  readonly kind: 'late';
  readonly slot: number;
  readonly generation: number;
  readonly data: UnreadData;
}

export interface AttachRequest {
  readonly kind: 'attach';
  readonly clientId: number;
  /** One word, see {@link Answer}. */
  readonly answer: SharedArrayBuffer;
}

/** Values of a synchronous request's answer word. */
export const Answer = { PENDING: 0, ANSWERED: 1 } as const;

export type AttachAnswer =
  | {
      readonly kind: 'attached';
      readonly memory: SharedArrayBuffer;
      readonly ioHeader: SharedArrayBuffer;
      readonly geometry: Geometry;
      readonly segments: readonly SegmentDescription[];
      readonly limits: ClientLimits;
      readonly backend: string;
    }
  | { readonly kind: 'refused'; readonly message: string }
  /** The I/O thread flushes and ends. */
  | { readonly kind: 'gone' };

/** What the client itself keeps to. */
export interface ClientLimits {
  /** Sources open at once, accept credits included. */
  readonly maxSources: number;
  /** Connections that a listener accepts before the user does. */
  readonly acceptAhead: number;
  /** Bytes of one stream that were written and not yet taken by the kernel: at this many it is not writable. */
  readonly sendHighWaterBytes: number;
  /** At no more than this many it is writable again. */
  readonly sendLowWaterBytes: number;
  /** Memory for data that is copied out of receive buffers. */
  readonly maxUnreadBytes: number;
}

/** Words of the boot memory by which a starting I/O thread reports. */
export const Boot = {
  /** {@link BootState}; the other words are written before it. */
  STATE: 0,
  /** The new port's id. */
  PORT_ID: 1,
  WORDS: 16,
} as const;

export const BootState = { STARTING: 0, READY: 1, FAILED: 2 } as const;

/** `workerData` of an I/O thread. */
export interface IoThreadData {
  readonly boot: SharedArrayBuffer;
  /** The shared words of `IoHeader`; the starter keeps them to ask for the end. */
  readonly ioHeader: SharedArrayBuffer;
  /** JSON text `{ message, code }` of the error when starting failed, zero-padded. */
  readonly failure: SharedArrayBuffer;
  /** Closed by the end of the worker's thread; nothing is ever sent. */
  readonly watch: MessagePort;
  readonly options: IoThreadConfiguration;
}

/** Every setting of an I/O thread, defaults filled in. Sizes in bytes. */
export interface IoThreadConfiguration {
  readonly backend: string | undefined;
  readonly addonPath: string | undefined;
  readonly maxSources: number;
  readonly acceptAhead: number;
  readonly lingerMs: number;
  readonly transferTimeoutMs: number;
  readonly passOnAfterMs: number;
  readonly receiveBufferSize: number;
  readonly receiveBuffers: number;
  readonly maxReceiveBuffers: number;
  readonly maxUnreadBytes: number;
  readonly datagramBufferSize: number;
  readonly datagramBuffers: number;
  readonly maxDatagramBuffers: number;
  readonly sendBufferSize: number;
  readonly sendBuffers: number;
  readonly sendHighWaterBytes: number;
  readonly sendLowWaterBytes: number;
  /** Microseconds of looking for work before sleeping; 0 never spins. */
  readonly spinUs: number;
}

/** What `ioThread.stats()` answers. */
export interface IoThreadStats {
  /** The backend that really runs: `'io_uring'`, `'epoll'` or `'poll'`. */
  readonly backend: string;
  /**
   * Why io_uring does not run although nobody forced another backend: what the system refused, in words
   * (`'io_uring_setup: Operation not permitted'` under most containers' seccomp profiles). Otherwise undefined.
   */
  readonly fallbackReason: string | undefined;
  readonly clients: number;
  /** Sources the I/O thread knows, accepted and closing ones included. */
  readonly sources: number;
  /** Streams that were detached and that no thread has attached yet; once their time is over, until they are closed. */
  readonly streamsInTransfer: number;
  /** Listeners and datagram sockets likewise, that moved with their Polls. */
  readonly socketsInTransfer: number;
  /** Operations started and released since the start; their difference is in flight. */
  readonly operationsStarted: number;
  readonly operationsReleased: number;
  readonly turns: number;
  /** Turns that slept in the kernel. */
  readonly sleeps: number;
  /** Doorbells rung. */
  readonly doorbells: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Receive buffers of all clients: how many there are, and how many of them readers hold now. */
  readonly receiveBuffers: number;
  readonly receiveBuffersHeld: number;
  /** Buffers for datagrams of all clients: how many there are, and how many of them readers hold now. */
  readonly datagramBuffers: number;
  readonly datagramBuffersHeld: number;
  /** Memory of the receive buffers, and memory that holds what was copied out of them. */
  readonly receiveBufferBytes: number;
  readonly copiedBytes: number;
  /** Streams that wait for a receive buffer now: the kernel holds their data, and slows their peers down. */
  readonly streamsStarved: number;
  /** Streams that hold as many buffers as one stream may. The kernel holds the rest of their data. */
  readonly streamsAtQuota: number;
  /** Segments by which receive pools have grown, and segments whose pages were given back. */
  readonly segmentsGrown: number;
  readonly segmentsReturned: number;
  /** Buffers received beyond a stream's quota, because the kernel had filled them before it was told to stop. */
  readonly quotaOvershoot: number;
  /** Clients thrown out for writing nonsense. */
  readonly clientsDetached: number;
}
