/** A handling thread of transfer.ts. */
import type { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { echo } from './echo-socket.js';

parentPort?.on('message', (socket: Socket) => {
  echo(socket, workerData as number);
  socket.resume();
});
