/** Node's socket transfer: the main thread accepts and hands each fresh socket to one of two workers. */
import { type AddressInfo, createServer } from 'node:net';
import { Worker } from 'node:worker_threads';
import { announce, endByItself, size } from '../serve.js';

const THREADS = 2;

endByItself();
const workers = Array.from(
  { length: THREADS },
  () => new Worker(new URL('./transfer-worker.js', import.meta.url), { workerData: size }),
);
let next = 0;

// Only a socket from which nothing was read can move.
const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
  // Node's types of the oldest version supported do not know sockets as transferable.
  workers[next++ % THREADS]?.postMessage(socket, [socket as never]);
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 511 }, () => announce([(server.address() as AddressInfo).port]));
