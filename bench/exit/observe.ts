/** Runs one child and takes the time of its end. */
import { once } from 'node:events';
import { startScript } from '../lib/children.js';
import type { ExitCase, Path } from './paths.js';

/** A child that hangs is killed then. That is no error here: the table shall show the time. */
const HUNG_MS = 10_000;

/** How the parent sees a child end that ended as it should; anything else is a crash, whose time means nothing. */
const EXPECTED: Partial<Record<Path, number | string>> = { 'uncaught exception': 1, SIGTERM: 'SIGTERM' };

export interface Ending {
  /** From the announcement to the end as the parent sees it. */
  readonly totalMs: number;
  /** Until `terminate()` had resolved; undefined on the other paths. */
  readonly terminateMs: number | undefined;
}

export async function observe({ library, situation, path }: ExitCase): Promise<Ending> {
  const child = startScript(new URL('./child.js', import.meta.url), [library, situation, path], {
    limitMs: HUNG_MS,
    // Not its standard error: the exception's trace, and the warning of an I/O thread started off the main thread.
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  const exited = once(child, 'exit').then(() => process.hrtime.bigint());
  const [code, signal] = await once(child, 'close');
  const seenNs = await exited;
  const endingNs = timeOf(output, 'ending');
  const ending = signal ?? code;
  if (endingNs === undefined || (ending !== 'SIGKILL' && ending !== (EXPECTED[path] ?? 0))) {
    throw new Error(`exit child ${library}, ${situation}, ${path}: ended with ${ending}`);
  }
  const terminatedNs = timeOf(output, 'terminated');
  return {
    totalMs: Number(seenNs - endingNs) / 1e6,
    terminateMs: terminatedNs === undefined ? undefined : Number(terminatedNs - endingNs) / 1e6,
  };
}

function timeOf(output: string, word: string): bigint | undefined {
  const digits = new RegExp(`^${word} (\\d+)$`, 'm').exec(output)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}
