/**
 * The process whose end is measured: `child.js LIBRARY SITUATION PATH`. It writes a word and a time of the monotonic
 * clock, which all processes share, to its standard output: `ending` right before the path is taken, `terminated`
 * when `terminate()` has resolved.
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { occupy, startIoThread } from './occupy.js';
import type { Library, Path, Situation } from './paths.js';
import type { WorkerTask } from './worker.js';

/** Longer than any spinning; the rest of it spreads the ends over the slices in which an I/O thread sleeps. */
const SETTLE_MS = 50;
const SLICE_MS = 100;

const [, , library, situation, path] = process.argv as [string, string, Library, Situation, Path];

function announce(word: string): void {
  writeSync(1, `${word} ${process.hrtime.bigint()}\n`);
}

async function terminate(role: WorkerTask['role']): Promise<void> {
  const workerData: WorkerTask = { role, library, situation };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  await once(worker, 'message');
  await settle();
  announce('ending');
  await worker.terminate();
  announce('terminated');
}

async function settle(): Promise<void> {
  await sleep(SETTLE_MS + Math.random() * SLICE_MS);
}

async function endBy(leave: () => void): Promise<void> {
  await occupy(library, situation);
  await settle();
  announce('ending');
  leave();
}

switch (path) {
  case 'natural end':
    await endBy(() => {});
    break;
  case 'process.exit()':
    await endBy(() => process.exit());
    break;
  case 'uncaught exception':
    await endBy(() => {
      setImmediate(() => {
        throw new Error('uncaught on purpose');
      });
    });
    break;
  case 'SIGTERM':
    await endBy(() => process.kill(process.pid, 'SIGTERM'));
    break;
  case 'terminate client':
    if (library === 'sideport') await startIoThread();
    await terminate('alone');
    break;
  case 'terminate starter':
    await terminate('alone');
    break;
  case 'terminate nested':
    await terminate('nested');
    break;
}
