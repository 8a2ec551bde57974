/** How long a process that a test starts may take. */
import { slowness } from './system.js';

/** One that lasts longer hangs. Far above what most of them need on a loaded machine. */
export const WATCHDOG_MS = 10_000 * slowness;

/** How long it waits for one thing: so it can still say what did not come before the watchdog ends it. */
export const CHILD_PATIENCE_MS = WATCHDOG_MS / 2;
