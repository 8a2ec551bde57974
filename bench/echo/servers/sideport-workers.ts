/** sideport in two worker threads, both served by one I/O thread; each has a listener of its own, or, with `shared`, they share one. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { IoThread, TcpListener } from '../../../src/index.js';
import { nameIoThread } from '../../lib/thread-names.js';
import { announce, endByItself, size } from '../serve.js';

const THREADS = 2;

endByItself();
const ioThread = nameIoThread(() => IoThread.default());
const listener = process.argv[3] === 'shared' ? TcpListener.bind({ host: '127.0.0.1', port: 0 }) : undefined;
const ports: number[] = [];
for (let count = 0; count < THREADS; count++) {
  const worker = new Worker(new URL('./sideport-worker.js', import.meta.url), {
    workerData: { ioThread: ioThread.share(), size, listener: listener?.share(ioThread) },
  });
  const [port] = await once(worker, 'message');
  ports.push(port as number);
}
announce(listener ? ports.slice(0, 1) : ports);
