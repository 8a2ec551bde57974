/** A worker fed by postMessage: the main thread accepts, reads and writes with node:net, the worker handles. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { announce, endByItself, size } from '../serve.js';
import type { RelayMessage } from './relay-worker.js';

endByItself();
const worker = new Worker(new URL('./relay-worker.js', import.meta.url), { workerData: size });
const sockets = new Map<number, Socket>();
let nextId = 0;

worker.on('message', ({ id, bytes }: RelayMessage) => {
  const socket = sockets.get(id);
  if (socket && !socket.write(bytes)) socket.pause();
});

const server = createServer({ noDelay: true }, (socket) => {
  const id = nextId++;
  sockets.set(id, socket);
  socket.on('data', (bytes) => worker.postMessage({ id, bytes } as RelayMessage));
  socket.on('drain', () => socket.resume());
  socket.on('error', () => socket.destroy());
  socket.on('close', () => sockets.delete(id));
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 511 }, () => announce([(server.address() as AddressInfo).port]));
