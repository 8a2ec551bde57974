/** The worker thread of the third server: what a user of plain Node would do to keep sockets off a busy main thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { serveThroughNet } from './net-server.js';
import type { Service } from './server.js';

const server = await serveThroughNet(workerData as Service[]);
parentPort?.postMessage(server.addresses);
parentPort?.once('message', async () => {
  await server.stop();
  // The port to the main thread was what kept this one alive.
  parentPort?.close();
});
