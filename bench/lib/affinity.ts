/**
 * Where threads run. Whether two threads share a core decides a wake-up's cost by a factor of ten on a virtual machine
 * (an idle core must be fetched out of its halt), and left alone the scheduler changes its mind from run to run. So
 * ping-pongs are measured pinned, both ways.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';

/** Every thread this process has now, main thread included. */
export function threads(): Set<string> {
  return new Set(readdirSync('/proc/self/task'));
}

/** The threads that were started since. */
export function threadsSince(before: Set<string>): string[] {
  return [...threads()].filter((thread) => !before.has(thread));
}

export function pin(thread: string | number, core: number): void {
  execFileSync('taskset', ['-cp', String(core), String(thread)], { stdio: 'ignore' });
}
