/**
 * Events: what the I/O thread tells a client, one entry of four words in its event ring.
 *
 * ```
 *  0 kind (bits 24-30) and slot (bits 0-23) | 1 generation | 2 a | 3 b
 * ```
 *
 * Order is the promise: for one slot, DATA precedes END, an END with an error follows all data received
 * before the error, and RELEASED is the last. A slot has at most one READY, one LATE, one END and one of ACCEPTED or
 * RELEASED outstanding, a buffer at most one DATA or SENT; so the ring, sized for all of them, never overflows.
 */
export const EVENT_WORDS = 4;

export const EventKind = {
  /** Look at the slot's readiness word. */
  READY: 1,
  /**
   * a = name of a receive buffer, b = bytes in it, with {@link MESSAGE_GOES_ON} if the message in it goes on in the next one. The
   * buffer is the client's until RECYCLE.
   */
  DATA: 2,
  /** Receiving has ended. a = 0 at the end of the stream, or a negative errno. Once per slot. */
  END: 3,
  /** a = name of a send buffer, the client's again. b = 0, or the negative errno that ended sending. */
  SENT: 4,
  /** The slot, lent as credit, holds a connection. a = listener's slot, b = descriptor; `Slot.ADDRESS` = peer. */
  ACCEPTED: 5,
  /** Everything of the slot is reaped; the slot is the client's again. */
  RELEASED: 6,
  /** Answer to POST. a = its a. */
  POSTED: 7,
  /**
   * Data that came while the stream moved to this client: it precedes all DATA. It is in a `LateData` message,
   * posted before. Answered by LATE_TAKEN.
   */
  LATE: 8,
  /**
   * A named pipe's session is over, as DISCONNECT asked: nothing of it follows in the ring. Has the place of LATE, since it is not told
   * before LATE_TAKEN.
   */
  DISCONNECTED: 9,
} as const;

/** In the length that a DATA event has. */
export const MESSAGE_GOES_ON = 1 << 30;

const SLOT_MASK = 0xff_ffff;

/** Slots must fit the 24 bits that an event has for them. */
export const MAX_SLOTS = SLOT_MASK + 1;

export function packEvent(kind: number, slot: number): number {
  return (kind << 24) | slot;
}

export function eventKind(word: number): number {
  return word >>> 24;
}

export function eventSlot(word: number): number {
  return word & SLOT_MASK;
}
