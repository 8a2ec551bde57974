/** node:cluster with two worker processes, each with node:net on its main thread. */
import cluster from 'node:cluster';
import { createServer } from 'node:net';
import { announce, endByItself, size } from '../serve.js';
import { echo } from './echo-socket.js';

const PROCESSES = 2;

if (cluster.isPrimary) {
  endByItself();
  let listening = 0;
  for (let count = 0; count < PROCESSES; count++) cluster.fork();
  cluster.on('listening', (_worker, { port }) => {
    if (++listening < PROCESSES) return;
    const workers = Object.values(cluster.workers ?? {}).map((worker) => worker?.process.pid as number);
    announce([port], [process.pid, ...workers]);
  });
} else {
  // A worker ends with the channel to its primary, as node:cluster has it; a message under way then is no failure.
  cluster.worker?.on('error', () => process.exit());
  const server = createServer({ noDelay: true }, (socket) => echo(socket, size));
  server.listen({ host: '127.0.0.1', port: 0, backlog: 511 });
}
