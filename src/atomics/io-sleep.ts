/**
 * The I/O thread's sleep protocol (client -> I/O thread): a client makes the system call that wakes the port only
 * when the I/O thread sleeps, and no submission is ever slept over.
 *
 * ```
 *        I/O thread                              client
 *   A1   SLEEP := ASLEEP                    B1   publish submission (tail)
 *   A2   look at every tail again           B2   if SLEEP is ASLEEP and I swap it to AWAKE:
 *   A3   nothing new: wait in the kernel    B3       wake the port
 *   A4   SLEEP := AWAKE
 * ```
 *
 * Ordering. A1, A2, B1 and B2 are SeqCst, so they have one total order. If A2 misses the submission, A2 precedes
 * B1, hence A1 precedes B2, and B2 sees ASLEEP (or that another client swapped it, and wakes). So either
 * the I/O thread sees the submission or some client wakes it. The wake persists (an eventfd, a pipe or a posted packet), so it
 * may come before A3. The swap makes one of many clients pay for the call. Without A1, A2 before A1, or
 * B2 before B1, a submission is slept over: `test/model/io-sleep.pml`.
 */
import { IoHeader } from '../protocol/client-memory.js';

const AWAKE = 0;
const ASLEEP = 1;

/** A1. The caller then looks at every submission ring before it waits (A2). */
export function raiseAsleep(ioHeader: Int32Array): void {
  Atomics.store(ioHeader, IoHeader.SLEEP, ASLEEP);
}

/** A4. */
export function lowerAsleep(ioHeader: Int32Array): void {
  Atomics.store(ioHeader, IoHeader.SLEEP, AWAKE);
}

/** B2. True: the caller must wake the port. Call after publishing. */
export function claimWake(ioHeader: Int32Array): boolean {
  // The plain load first keeps the cache line shared while the I/O thread is busy.
  if (Atomics.load(ioHeader, IoHeader.SLEEP) !== ASLEEP) return false;
  return Atomics.compareExchange(ioHeader, IoHeader.SLEEP, ASLEEP, AWAKE) === ASLEEP;
}

/** Asks the I/O thread to end; followed by a wake. Monotonic: set once, so no order matters beyond its visibility. */
export function requestStop(ioHeader: Int32Array): void {
  Atomics.store(ioHeader, IoHeader.STOP, 1);
}

export function stopRequested(ioHeader: Int32Array): boolean {
  return Atomics.load(ioHeader, IoHeader.STOP) !== 0;
}
