/** A server under measurement: announces `{"ports": [...], "pids": [...]}` on a line, serves until it is killed. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { start } from './children.js';

const LIMIT_MS = 120_000;

export interface Server {
  readonly ports: readonly number[];
  /** Every process whose CPU time counts. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** `env`: on top of this process's. */
export async function startServer(
  [command = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const child = start(command, args, { limitMs: LIMIT_MS, env: { ...process.env, ...env } });
  const { ports, pids } = JSON.parse(await nextLine(lines(child), child)) as Pick<Server, 'ports' | 'pids'>;
  return {
    ports,
    pids,
    async stop() {
      for (const pid of pids) if (pid !== child.pid) kill(pid);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

export function lines(child: ChildProcess): AsyncIterator<string> {
  if (!child.stdout) throw new Error('no standard output to read');
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
}

export async function nextLine(from: AsyncIterator<string>, child: ChildProcess): Promise<string> {
  const { value, done } = await from.next();
  if (done) throw new Error(`${child.spawnargs.join(' ')}: ended early`);
  return value as string;
}
