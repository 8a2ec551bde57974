/**
 * CPU time per thread, from the scheduler's own account: /proc/PID/task/TID/schedstat counts nanoseconds, where
 * /proc/PID/stat counts ticks of 10 ms.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface CpuTime {
  /** All threads that live at the moment of asking. */
  readonly processNs: number;
  readonly mainThreadNs: number;
}

export function cpuTime(pid: number): CpuTime {
  let processNs = 0;
  let mainThreadNs = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const ns = threadNs(pid, thread);
    processNs += ns;
    if (thread === String(pid)) mainThreadNs = ns;
  }
  return { processNs, mainThreadNs };
}

function threadNs(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  } catch {
    return 0; // It ended between the listing and the reading.
  }
}
