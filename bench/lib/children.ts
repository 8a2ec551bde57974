/**
 * Child processes that cannot outlive the run: each has a watchdog, and the end of this process, Ctrl-C included,
 * kills those that are left.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

export interface StartOptions extends SpawnOptions {
  /** The child is killed then, and {@link ended} rejects. */
  readonly limitMs: number;
}

export function start(command: string, args: readonly string[], { limitMs, ...options }: StartOptions): ChildProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  running.add(child);
  const watchdog = setTimeout(() => child.kill('SIGKILL'), limitMs);
  child.once('exit', () => {
    running.delete(child);
    clearTimeout(watchdog);
  });
  return child;
}

/** A compiled script of this directory, run by this Node; `url` is relative to the caller's `import.meta.url`. */
export function startScript(url: URL, args: readonly string[], options: StartOptions): ChildProcess {
  return start(process.execPath, [fileURLToPath(url), ...args], options);
}

/** All that it printed. Rejects unless it ends by itself with exit code 0. */
export async function outputOf(child: ChildProcess): Promise<string> {
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === 0) return Buffer.concat(chunks).toString();
  throw new Error(`${child.spawnargs.join(' ')}: ended with ${signal ?? `exit code ${code}`}`);
}
