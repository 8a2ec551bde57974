/** The ping-pongs: how each side sleeps, and what wakes it. */

export type Kind =
  | 'awakener-poll'
  | 'awakener-spin'
  | 'awakener-wait'
  | 'io-thread-poll'
  | 'io-thread-wait'
  | 'post-message'
  | 'atomics';

export interface Ping {
  readonly label: string;
  /** Undefined: the C program. */
  readonly kind?: Kind;
  /** The I/O thread's, in microseconds. */
  readonly spinUs: number;
}

const DEFAULT_SPIN_US = 50;

export const FLOOR: Ping = { label: 'C: eventfd + futex', spinUs: 0 };

/** Measured against the target: the I/O thread sleeps in the kernel at every ping, as the C thread does. */
export const TARGETED: Ping = { label: 'I/O thread asleep, poll() (spin off)', kind: 'io-thread-poll', spinUs: 0 };

/** Thread to thread: the I/O thread has no part in it, so its spinning must make no difference. */
export const DIRECT: Ping = {
  label: 'Awakener, poll() both sides',
  kind: 'awakener-poll',
  spinUs: DEFAULT_SPIN_US,
};

/** Plain Node's best: what a wake costs without sideport. */
const ATOMICS: Ping = { label: 'plain Node: Atomics.wait/notify', kind: 'atomics', spinUs: 0 };

/** Those that targets speak of, and what they are made of. */
export const PINGS_QUICK: readonly Ping[] = [FLOOR, DIRECT, TARGETED, ATOMICS];

export const PINGS: readonly Ping[] = [
  FLOOR,
  DIRECT,
  { label: 'Awakener, poll() both sides (spin off)', kind: 'awakener-poll', spinUs: 0 },
  { label: 'Awakener, poll() with spinUs: 50', kind: 'awakener-spin', spinUs: DEFAULT_SPIN_US },
  { label: 'Awakener, wait() both sides', kind: 'awakener-wait', spinUs: DEFAULT_SPIN_US },
  TARGETED,
  { label: 'I/O thread, poll() (spin on, default)', kind: 'io-thread-poll', spinUs: DEFAULT_SPIN_US },
  { label: 'I/O thread asleep, wait() (spin off)', kind: 'io-thread-wait', spinUs: 0 },
  { label: 'I/O thread, wait() (spin on, default)', kind: 'io-thread-wait', spinUs: DEFAULT_SPIN_US },
  ATOMICS,
  { label: 'plain Node: postMessage', kind: 'post-message', spinUs: 0 },
];

/** Both ends on one core, or each on its own. */
export const PLACES = ['same core', 'two cores'] as const;
export type Place = (typeof PLACES)[number];
