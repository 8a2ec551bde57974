/** What a source is registered for, and how. Bit sets: `Interest.READABLE | Interest.WRITABLE`. */
import { fail } from '../../errors.js';
import { INTEREST_ALL, INTEREST_READABLE, INTEREST_WRITABLE } from '../../protocol/interest.js';
import { checkInteger } from '../check-integer.js';

export const Interest = {
  /** Data, a connection to accept, the end of the stream or an error is waiting. */
  READABLE: INTEREST_READABLE,
  /**
   * The connection is established and there is room to write, or connecting or a write failed. For this alone nothing is received, and so a reset is met by the
   * next write only.
   */
  WRITABLE: INTEREST_WRITABLE,
} as const;

export const PollOpt = {
  /** An event when something changes; read until `null`, or you may not hear again. The default. */
  EDGE: 1,
  /** An event in every poll while the condition holds. */
  LEVEL: 2,
  /** One event, then none until `reregister`. Combines with EDGE or LEVEL. */
  ONESHOT: 4,
} as const;

const OPTIONS_ALL = PollOpt.EDGE | PollOpt.LEVEL | PollOpt.ONESHOT;
const TOKEN_MAX = 2 ** 32 - 1;

/** @throws ERR_SIDEPORT_INVALID_ARG */
export function checkToken(token: number): void {
  checkInteger('A token', token, 0, TOKEN_MAX);
}

/** @throws ERR_SIDEPORT_INVALID_ARG */
export function checkInterest(interest: number): void {
  if (!Number.isInteger(interest) || interest < 1 || interest > INTEREST_ALL) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', `An interest is READABLE, WRITABLE or both, not ${String(interest)}`);
  }
}

/** @throws ERR_SIDEPORT_INVALID_ARG, also for EDGE together with LEVEL: mio's backends disagree on what that means. */
export function checkOptions(options: number): void {
  if (!Number.isInteger(options) || options < 0 || options > OPTIONS_ALL) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', `Options are EDGE or LEVEL, and ONESHOT, not ${String(options)}`);
  }
  if ((options & PollOpt.EDGE) !== 0 && (options & PollOpt.LEVEL) !== 0) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', 'EDGE and LEVEL exclude each other');
  }
}
