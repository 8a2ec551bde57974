/** Threads carry their part's name in /proc, where the account of their CPU time is: see schedstat.ts. */
import { writeFileSync } from 'node:fs';
import { threads, threadsSince } from './affinity.js';

/** What a server's threads do; all others are the runtime's own: garbage collection, compilation, libuv's pool. */
export const ROLES = ['main thread', 'I/O thread', 'handler', 'runtime'] as const;
export type Role = (typeof ROLES)[number];

/** This thread, a worker, handles messages. */
export function nameHandler(): void {
  rename('/proc/thread-self', 'handler');
}

/** Calls what starts the I/O thread: the threads that come with it have no other work. */
export function nameIoThread<T>(start: () => T): T {
  const before = threads();
  const started = start();
  for (const thread of threadsSince(before)) rename(`/proc/self/task/${thread}`, 'I/O thread');
  return started;
}

function rename(thread: string, role: Role): void {
  writeFileSync(`${thread}/comm`, role);
}
