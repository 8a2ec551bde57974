/** A handling thread of transfer.ts. */
import type { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { nameHandler } from '../../lib/thread-names.js';
import { echo } from './echo-socket.js';

nameHandler();
parentPort?.on('message', (socket: Socket) => {
  echo(socket, workerData as number);
  socket.resume();
});
