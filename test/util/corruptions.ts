/** What no client writes into its submission ring, and the I/O thread must not believe. */
import { Submission } from '../../src/protocol/submissions.js';
import type { WithIoThread } from './thread.js';

const NOT_MINE = 5;

/** Ways of being wrong; each is an entry (opcode, slot, generation, a, b), or the ring's index. */
export const corruptions = {
  'an unknown opcode': [99, 0, 1],
  'a slot out of range': [Submission.INTEREST, 2 ** 24, 1, 1],
  'a negative slot': [Submission.CLOSE, -1, 1, 0],
  'a buffer that it does not hold': [Submission.RECYCLE, 0, 0, NOT_MINE],
  'a buffer of a segment that does not exist': [Submission.RECYCLE, 0, 0, 2 ** 30],
  'a send of no bytes': [Submission.SEND, 1, 1, 1 << 20],
  'a send from a receive buffer': [Submission.SEND, 1, 1, 0],
  'a recycling that is neither read nor copied': [Submission.RECYCLE, 0, 0, 0, 2],
  'the reading of copies that it did not make': [Submission.COPIES_READ, 1, 1, 1],
  'an interest that is none': [Submission.INTEREST, 0, 1, 64],
  'a way to close that is none': [Submission.CLOSE, 0, 1, 7],
  'a way to shut down that is none': [Submission.SHUTDOWN, 0, 1, 3],
  'the detaching of what is not shared': [Submission.DETACH_SHARED, 1, 1],
  'a negative descriptor': [Submission.OPEN_STREAM, 100, 1, -1, 1],
  'a slot opened twice': [Submission.OPEN_STREAM, 1, 1, 0, 1],
  'more entries than the ring holds': undefined,
} as const;

export interface CorrupterData extends WithIoThread {
  readonly how: keyof typeof corruptions;
}
