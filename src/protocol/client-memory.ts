/**
 * The control memory that one client thread and the I/O thread share: one SharedArrayBuffer per client, seen
 * by both as one Int32Array. Received and sent bytes live in segments of their own (`buffer-name.ts`).
 *
 * ```
 * word      line (16 words = 64 bytes, so no two threads write the same cache line)
 *    0      SUBMISSION_TAIL   client writes: submissions published so far
 *   16      SUBMISSION_HEAD   I/O thread writes: submissions taken so far
 *   32      EVENT_TAIL        I/O thread writes: events published so far
 *   48      EVENT_HEAD        client writes: events taken so far
 *   64      SLEEP             the doorbell word (atomics/doorbell.ts)
 *   80      SIGNALS           any thread: awakenings and interrupts so far
 *   96      STATUS            I/O thread writes: attached, detached, gone
 *  112      ROOM_WANTED       client writes: it waits for room, so the send that makes some rings
 *  128      BUFFERS_WANTED    I/O thread writes: what it wants done about receive buffers (BuffersWanted)
 *  144      COPIED_BYTES      client writes: memory that holds what it copied out of receive buffers
 *  160      slots             slotCount records of 16 words
 *  ...      submission ring   submissionCapacity entries of 8 words
 *  ...      event ring        eventCapacity entries of 4 words
 *  ...      send words        one per send buffer (atomics/send-word.ts)
 * ```
 *
 * A *slot* stands for one source. The client allocates slots and counts their generations; an accepted connection
 * gets a slot that the client lent to the listener beforehand (an accept credit).
 * The pair (slot, generation) is the name by which a source crosses threads; descriptors are reused by the kernel
 * at once and name nothing.
 *
 * ```
 *   free ──client allocates──► open ──────client submits CLOSE──────► closing
 *    ▲                                                                  │ I/O thread reaps every operation
 *    └── client reads RELEASED, the slot's last event; generation + 1 ◄─┘
 * ```
 */
import { EVENT_WORDS } from './events.js';
import { SUBMISSION_WORDS } from './submissions.js';

const LINE = 16;

/** Word offsets of the header. */
export const Header = {
  SUBMISSION_TAIL: 0 * LINE,
  SUBMISSION_HEAD: 1 * LINE,
  EVENT_TAIL: 2 * LINE,
  EVENT_HEAD: 3 * LINE,
  SLEEP: 4 * LINE,
  SIGNALS: 5 * LINE,
  STATUS: 6 * LINE,
  ROOM_WANTED: 7 * LINE,
  BUFFERS_WANTED: 8 * LINE,
  COPIED_BYTES: 9 * LINE,
  WORDS: 10 * LINE,
} as const;

/** Values of `Header.STATUS`. */
export const ClientStatus = {
  ATTACHED: 0,
  /** The I/O thread threw this client out: it had written what no client writes. */
  DETACHED: 1,
  /** The I/O thread has ended. */
  GONE: 2,
} as const;

/** Bits of `Header.BUFFERS_WANTED`. */
export const BuffersWanted = {
  /** A buffer that comes back is worth a wake: some stream would receive if it could. */
  RECYCLED: 1,
  /** Streams that have nothing unread wait for a buffer: copy what is unread out of its buffers. */
  COPIED_OUT: 2,
} as const;

/** Word offsets within a slot's record. */
export const Slot = {
  /** Who closes the descriptor (atomics/ownership.ts). */
  OWNER: 0,
  /** Readiness not yet taken by the client (atomics/readiness.ts). */
  READINESS: 1,
  /** Node's negative errno that belongs to the FAILED bit; written before the bit. */
  ERRNO: 2,
  /** A timer's expirations that the client has not taken, and since which of its settings they count. */
  EXPIRATIONS: 3,
  TIMER_SETTING: 10,
  /** Two words: when a timer that the client sets is due, a float64 on the shared clock (protocol/clock.ts). */
  TIMER_DUE: 12,
  /** Six words: the remote address. Client writes it for connect, the I/O thread for accept. */
  ADDRESS: 4,
  /** Two words, aligned: who gets the stream that was detached here (atomics/claim.ts). */
  CLAIM: 10,
  /** Bytes that earlier owners of the stream wrote and the kernel has not taken. The I/O thread stores it before the CARRIED bit. */
  CARRIED: 12,
  WORDS: LINE,
} as const;

/** Bits of `Slot.READINESS`. */
export const Readiness = {
  /** The connection is established: there is room to write. */
  CONNECTED: 1,
  /** Connecting or accepting failed with `Slot.ERRNO`. */
  FAILED: 2,
  /** Look at `Slot.CARRIED`. */
  CARRIED: 4,
  /** Sending what an earlier owner wrote has failed with `Slot.ERRNO`. */
  SEND_FAILED: 8,
  /** A timer has expired, `Slot.EXPIRATIONS` times. */
  EXPIRED: 16,
  /** A READY entry for this slot is in the event ring. */
  QUEUED: 1 << 30,
} as const;

/** How large a client's memory is. Chosen by the I/O thread; powers of two, but where said. */
export interface Geometry {
  readonly slotCount: number;
  readonly submissionCapacity: number;
  readonly eventCapacity: number;
  /** Not a power of two: send buffers are not a ring. */
  readonly sendBufferCount: number;
}

/** Events outstanding per slot at most: READY, LATE, END, and ACCEPTED or RELEASED. Buffers add one each. */
export const EVENTS_PER_SLOT = 4;

export function nextPowerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, value)));
}

/**
 * Sizes the rings such that everything that can be outstanding fits: neither side ever waits for event space. The receive
 * buffers are counted as the pool has when it has grown to its limit.
 */
export function geometryFor(maxSources: number, maxReceiveBuffers: number, sendBufferCount: number): Geometry {
  const slotCount = nextPowerOfTwo(maxSources);
  return {
    slotCount,
    submissionCapacity: 4096,
    // Twice: the client gives entries back by the batch, so while it works through one, what it has answered already may
    // have a second entry. And a POST per slot, which nobody else counts.
    eventCapacity: nextPowerOfTwo(2 * (slotCount * EVENTS_PER_SLOT + maxReceiveBuffers + sendBufferCount) + slotCount),
    sendBufferCount,
  };
}

/** First word of a slot's record. */
export function slotBase(slot: number): number {
  return Header.WORDS + slot * Slot.WORDS;
}

export function submissionRingBase(geometry: Geometry): number {
  return Header.WORDS + geometry.slotCount * Slot.WORDS;
}

export function eventRingBase(geometry: Geometry): number {
  return submissionRingBase(geometry) + geometry.submissionCapacity * SUBMISSION_WORDS;
}

/** The word of send buffer 0. */
export function sendWordsBase(geometry: Geometry): number {
  return eventRingBase(geometry) + geometry.eventCapacity * EVENT_WORDS;
}

export function clientMemoryBytes(geometry: Geometry): number {
  return 4 * (sendWordsBase(geometry) + geometry.sendBufferCount);
}

/**
 * The I/O thread's own shared word, one SharedArrayBuffer for all its clients.
 */
export const IoHeader = {
  /** Raised while the I/O thread sleeps in the kernel (atomics/io-sleep.ts). */
  SLEEP: 0,
  /** Set to ask the I/O thread to end. */
  STOP: LINE,
  WORDS: 2 * LINE,
} as const;
