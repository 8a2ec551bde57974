/** The demo's servers on sideport: this thread starts the I/O thread and a worker, and need do nothing more. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Awakener, IoThread } from 'sideport';
import type { RunningServer, Service, Traffic } from './server.js';
import type { WorkerMessage } from './sideport-worker.js';

/** What clients have not taken by then is dropped. */
const STOP_MS = 2000;

export interface SideportServer extends RunningServer {
  readonly backend: string;
}

/** Rejects with the system's error (`code`) when an address cannot be had. */
export async function serveThroughSideport(
  services: readonly Service[],
  onTraffic: (traffic: Traffic) => void = () => {},
): Promise<SideportServer> {
  // On the main thread, because the I/O thread lives no longer than the thread that starts it.
  const { backend } = IoThread.default();
  const worker = new Worker(new URL('./sideport-worker.js', import.meta.url), { workerData: services });
  return new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'traffic') onTraffic(message.traffic);
      if (message.kind === 'refused') reject(Object.assign(new Error(message.message), { code: message.code }));
      if (message.kind !== 'listening') return;
      const awakener = Awakener.from(message.stop);
      resolve({ backend, addresses: message.addresses, stop: () => end(worker, () => awakener.wake()) });
    });
  });
}

async function end(worker: Worker, ask: () => void): Promise<void> {
  const exited = once(worker, 'exit');
  ask();
  const timer = setTimeout(() => void worker.terminate(), STOP_MS);
  await exited;
  clearTimeout(timer);
}
