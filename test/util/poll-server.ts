/** What a server whose Poll moves (test/fixtures/poll-heir.ts) and its tests have in common. */
import type { DetachedPoll } from '../../src/index.js';
import type { WithIoThread } from './thread.js';

export const LISTENER = 0;
export const TIMER = 1;
export const FIRST_STREAM = 2;

export interface PollHeirData extends WithIoThread {
  /** Undefined: makes a Poll with a listener and a timer; its port is the first message. */
  readonly name: DetachedPoll | undefined;
  /** Lets go of the Poll after so many. */
  readonly polls: number;
  /** Ends when so many streams have come to their end. */
  readonly streams: number;
}

export interface PollHeirAnswer {
  readonly name: DetachedPoll;
  readonly expirations: number;
  /** Streams. */
  readonly ended: number;
}
