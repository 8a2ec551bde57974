/** The worker threads of the child whose end is measured; they report ready and then block. */
import { once } from 'node:events';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { block, occupy, startIoThread } from './occupy.js';
import type { Library, Situation } from './paths.js';

/** `nested`: starts the I/O thread and one more worker, which occupies. `alone` occupies itself. */
export interface WorkerTask {
  readonly role: 'alone' | 'nested';
  readonly library: Library;
  readonly situation: Situation;
}

const { role, library, situation } = workerData as WorkerTask;
if (role === 'alone') {
  await occupy(library, situation);
} else {
  if (library === 'sideport') await startIoThread();
  await startWorker({ role: 'alone', library, situation });
}
parentPort?.postMessage('ready');
await block(library);

async function startWorker(task: WorkerTask): Promise<void> {
  await once(new Worker(new URL(import.meta.url), { workerData: task }), 'message');
}
