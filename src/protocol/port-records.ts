/**
 * The records that the selector and its completion port exchange, 12 words each. Twin of
 * `native/completion_port.h`, which says what each opcode means; the names are the same.
 */

/** Changes whenever a record, a shared word or an opcode does. The addon is built for one. */
export const PROTOCOL_VERSION = 4;

export const RECORD_WORDS = 12;

/** Word offsets of a submission record. */
export const Submit = { OPCODE: 0, ENDPOINT: 1, A: 2, B: 3, C: 4, D: 5, ADDRESS: 6 } as const;

/** Word offsets of a completion record. */
export const Complete = { OPCODE: 0, ENDPOINT: 1, RESULT: 2, FLAGS: 3, SEGMENT: 4, INDEX: 5, ADDRESS: 6 } as const;

export const PortOpcode = {
  ADOPT: 1,
  PROVIDE: 2,
  CANCEL: 3,
  SHUTDOWN: 4,
  EXTEND: 5,
  ACCEPT: 16,
  CONNECT: 17,
  RECEIVE: 18,
  SEND: 19,
  CLOSE: 20,
  WAKE: 21,
  RECEIVE_FROM: 22,
  SEND_TO: 23,
} as const;

export const CloseMode = { FLUSHED: 0, RESET: 1 } as const;
export const ShutdownHow = { READ: 0, WRITE: 1, BOTH: 2, SESSION: 3 } as const;

/** In `Submit.D` of a SEND: the next record continues this operation. */
export const SEND_MORE_PIECES = 1;
export const PIECES_PER_SEND = 16;
/** In `Submit.D` of a SEND_TO, with SEND_MORE_PIECES: the next record continues this datagram. */
export const SEND_SAME_DATAGRAM = 2;
export const PIECES_PER_SEND_TO = 64;

export const CompletionFlag = { MORE: 1, REJECTED: 2, GOES_ON: 4 } as const;
/** What `SocketCalls.pipeTraits` tells. Twin of `PipeTraits` in `native/named_pipe.h`. */
export const PipeTrait = { SERVER_END: 1, MESSAGES: 2 } as const;
/** What `SocketCalls.foreignAccess` tells. Twin of `Access` there. */
export const Access = { READ: 1, WRITE: 2 } as const;
export const WakeReason = { SUBMISSION: 1, CONTROL: 2 } as const;
