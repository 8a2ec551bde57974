/** Tells when a client thread sleeps, from its doorbell word: the barrier for "during a poll". */
import type { SharedAwakener } from '../../src/index.js';
import { Header } from '../../src/protocol/client-memory.js';
import { PATIENCE_MS } from './thread.js';

const AWAKE = 0;

/** Spins until the thread that owns the shared object sleeps: in a blocking poll, or in its event loop. */
export function awaitSleeping(shared: SharedAwakener): void {
  const words = new Int32Array(shared.memory);
  const untilMs = performance.now() + PATIENCE_MS;
  while (Atomics.load(words, Header.SLEEP) === AWAKE) {
    if (performance.now() > untilMs) throw new Error('the thread never slept');
  }
}
