/**
 * Submissions: what a client asks of the I/O thread, one entry of eight words in its submission ring.
 *
 * ```
 *  0 opcode | 1 slot | 2 generation | 3 a | 4 b | 5 c | 6 (reserved) | 7 (reserved)
 * ```
 *
 * The I/O thread copies an entry to private memory before it validates it, and detaches a client whose entry names
 * what that client cannot name. An entry for a slot whose generation has passed is stale, not wrong: it is dropped.
 */
export const SUBMISSION_WORDS = 8;

export const Submission = {
  /** The source becomes known. a = descriptor, lent by `Slot.OWNER`; b = interest. */
  OPEN_LISTENER: 1,
  /** As OPEN_LISTENER, for a stream that connects to `Slot.ADDRESS`. */
  OPEN_STREAM: 2,
  /** a = interest (bits of `Interest`): whether to receive or accept ahead. */
  INTEREST: 3,
  /** slot = a listener. a = slot, b = generation for the next connection that it accepts. */
  ACCEPT_CREDIT: 4,
  /**
   * slot = 0. a = name of a receive buffer that the reader is done with; b = 1 if its data was copied out and is still
   * unread: then the stream goes on holding it against its quota, until COPIES_READ.
   */
  RECYCLE: 5,
  /**
   * a = name of a send buffer, whose word has its length and may grow until the I/O thread closes it
   * (atomics/send-word.ts). The buffer is the I/O thread's until SENT.
   */
  SEND: 6,
  /** a = ShutdownHow. `WRITE` is queued behind the sends before it. */
  SHUTDOWN: 7,
  /** a = CloseMode. FLUSHED sends what was accepted, for `lingerMs` at most. The slot's last submission. */
  CLOSE: 8,
  /** Answered by a POSTED event: a round trip through the I/O thread. a comes back. */
  POST: 9,
  /** a = how many buffers' worth of copied-out data of this stream have been read. */
  COPIES_READ: 10,
  /**
   * The stream leaves this client (protocol/transfer.ts). a = bits of `Seen`. The slot's last submission; everything received and seen
   * was recycled before. `Slot.CLAIM` is pending.
   */
  DETACH_STREAM: 11,
  /** A stream arrives in a free slot. a, b, c = client, slot and generation that it was detached from; claimed before. */
  ATTACH_STREAM: 12,
  /** The data of a LATE event is this client's. */
  LATE_TAKEN: 13,
  /**
   * What another client shares is shared from a free slot. a, b, c = client, slot and generation of its first sharer. Answered
   * by `Slot.OWNER`, which the client has offered: adopted, or closed when there is nothing of that name.
   */
  JOIN: 14,
  /** As OPEN_LISTENER, for a datagram socket. Its SENDs name buffers of frames (protocol/datagram.ts). */
  OPEN_DATAGRAM: 15,
  /** The slot is a timer's. */
  OPEN_TIMER: 16,
  /** a = 1: it expires at `Slot.TIMER_DUE`, 0: never; b = milliseconds from one expiry to the next, 0: there is only one. */
  SET_TIMER: 17,
  /** As OPEN_LISTENER, for a stream that is connected already. */
  OPEN_CONNECTED_STREAM: 18,
  /** The server's end of a named pipe lets its client go; what is unsent is dropped. Answered by DISCONNECTED. */
  DISCONNECT: 19,
  /** It waits for the next client. Not before DISCONNECTED was read: so nothing of one session is ever told in the next. */
  RECONNECT: 20,
  /**
   * slot = a shared datagram socket, whose CLOSE follows. Whatever this client has of it and has not recycled, it never will: the
   * datagrams go to the other sharers.
   */
  HAND_BACK: 21,
  /**
   * slot = a listener or datagram socket. As HAND_BACK and CLOSE, but it stays open, and has what this client had not taken, until a
   * client attaches it: `transferTimeoutMs` at most. The slot's last submission, and one entry, so that nobody attaches it in the midst of this.
   */
  DETACH_SHARED: 22,
  /** As JOIN, once. a, b, c = client, slot and generation that it was detached from. */
  ATTACH_SHARED: 23,
  /**
   * The stream leaves this client as two halves: the reading half from its slot, as by DETACH_STREAM, the writing half from slot, which is free until then. a, b =
   * slot and generation of the stream; c = bits of `Seen`. Either slot's last submission; either's `Slot.CLAIM` is pending. One
   * entry, so that nobody attaches one half before the other has left.
   */
  SPLIT_STREAM: 24,
} as const;
