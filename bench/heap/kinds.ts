/** What bench/heap profiles, and what a server of it tells. */
import type { Profile } from './sampling.js';

/** How messages are read: as bench/echo's servers do. */
export const KINDS = ['take', 'read', 'net'] as const;
export type Kind = (typeof KINDS)[number];

/** The name on which the main thread asks the I/O thread's wrapper. */
export const CHANNEL = 'bench heap';

export interface Profiles {
  readonly main: Profile;
  /** Undefined for node:net. */
  readonly ioThread: Profile | undefined;
}
