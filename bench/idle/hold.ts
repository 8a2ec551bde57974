/** Connections that do nothing. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from '../lib/children.js';
import { compile } from '../lib/compile.js';
import { lines, nextLine, type Server } from '../lib/server.js';

const LIMIT_MS = 60_000;

/** Opens so many to the server, and returns when it has accepted them all; what is returned ends them. */
export async function holdConnections(server: Server, count: number): Promise<() => Promise<void>> {
  const open = descriptorCount(server);
  const holder = start(compile('hold-connections'), [String(server.ports[0]), String(count)], { limitMs: LIMIT_MS });
  await nextLine(lines(holder), holder);
  const untilMs = performance.now() + LIMIT_MS;
  while (descriptorCount(server) < open + count && performance.now() < untilMs) await sleep(20);
  if (descriptorCount(server) < open + count) throw new Error('the server did not accept all connections');
  return async () => {
    holder.stdin?.end();
    await once(holder, 'exit');
  };
}

/** Accepted by the kernel's backlog is not accepted by the server: its descriptors tell. */
function descriptorCount({ pids }: Server): number {
  return readdirSync(`/proc/${pids[0]}/fd`).length;
}
