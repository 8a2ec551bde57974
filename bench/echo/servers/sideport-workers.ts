/** sideport in two worker threads, each with a listener of its own, both served by one I/O thread. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { IoThread } from '../../../src/index.js';
import { announce, endByItself, size } from '../serve.js';

const THREADS = 2;

endByItself();
const ioThread = IoThread.default();
const ports: number[] = [];
for (let count = 0; count < THREADS; count++) {
  const worker = new Worker(new URL('./sideport-worker.js', import.meta.url), {
    workerData: { ioThread: ioThread.share(), size },
  });
  const [port] = await once(worker, 'message');
  ports.push(port as number);
}
announce(ports);
