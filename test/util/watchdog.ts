/** How long a fixture may take. */
import { slowness } from '../util/system.js';

/** A process that lasts longer hangs. Far above what most of them need on a loaded machine. */
export const WATCHDOG_MS = 10_000 * slowness;

/** How long a fixture waits for one thing: so it can still say what did not come before the watchdog ends it. */
export const PATIENCE_MS = WATCHDOG_MS / 2;
