/**
 * CPU time per thread, from the scheduler's own account: /proc/PID/task/TID/schedstat counts nanoseconds, where
 * /proc/PID/stat counts ticks of 10 ms.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { ROLES, type Role } from './thread-names.js';

/** Nanoseconds, of all threads that live at the moment of asking. */
export type CpuTime = Readonly<Record<Role, number>>;

export function cpuTime(pids: readonly number[]): CpuTime {
  const times: Record<Role, number> = { 'main thread': 0, 'I/O thread': 0, handler: 0, runtime: 0 };
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const folder = `/proc/${pid}/task/${thread}`;
      times[thread === String(pid) ? 'main thread' : roleOf(folder)] += threadNs(folder);
    }
  }
  return times;
}

export function total(times: CpuTime): number {
  return ROLES.reduce((sum, role) => sum + times[role], 0);
}

/** What was used between the two, divided by something. */
export function cpuBetween(before: CpuTime, after: CpuTime, divisor: number): CpuTime {
  const entries = ROLES.map((role) => [role, (after[role] - before[role]) / divisor] as const);
  return Object.fromEntries(entries) as CpuTime;
}

function roleOf(folder: string): Role {
  const name = read(`${folder}/comm`).trim();
  return ROLES.find((role) => role === name) ?? 'runtime';
}

function threadNs(folder: string): number {
  return Number(read(`${folder}/schedstat`).split(' ')[0]);
}

/** Empty if the thread has ended between the listing and the reading. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
