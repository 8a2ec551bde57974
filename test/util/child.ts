/** Child processes for tests, under a watchdog: mostly a compiled fixture of test/fixtures. */
import { type SpawnOptions, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WATCHDOG_MS } from './watchdog.js';

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** It did not end by itself within the watchdog's time. */
  readonly hung: boolean;
}

/** Runs `node [...nodeArguments] fixture [...args]` to its end. */
export function runChild(
  fixture: string,
  args: string[] = [],
  options: SpawnOptions = {},
  nodeArguments: string[] = [],
): Promise<Ended> {
  const file = fileURLToPath(new URL(`../fixtures/${fixture}.js`, import.meta.url));
  return runNode([...nodeArguments, file, ...args], options);
}

/** Runs `node [...args]` to its end. */
export async function runNode(args: string[], options: SpawnOptions = {}, watchdogMs = WATCHDOG_MS): Promise<Ended> {
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr, hung] = ['', '', false];
  child.stdout?.on('data', (bytes) => (stdout += bytes));
  child.stderr?.on('data', (bytes) => (stderr += bytes));
  const watchdog = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, watchdogMs);
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve([status, signal]));
  });
  clearTimeout(watchdog);
  return { status, signal, stdout, stderr, hung };
}
