/** A main thread that is busy half of the time. */

/** It does nothing else for the first part of every period. */
export const BLOCKED_MS = 100;
export const PERIOD_MS = 200;

/**
 * Blocks this thread for 100 of every 200 ms until the returned function is called. It sleeps (`Atomics.wait`) rather
 * than computes, so the processor is as free for the others as before: what is measured is only that the thread is not there.
 */
export function blockRegularly(): () => void {
  const never = new Int32Array(new SharedArrayBuffer(4));
  const block = () => {
    Atomics.wait(never, 0, 0, BLOCKED_MS);
    timer = setTimeout(block, PERIOD_MS - BLOCKED_MS);
  };
  let timer = setTimeout(block, PERIOD_MS - BLOCKED_MS);
  return () => clearTimeout(timer);
}
