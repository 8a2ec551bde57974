// Preloaded when test files run in worker threads. Node closes at a worker's end what fs.open opened there and fs.close did not
// close, whoever has the number by then: here that would be a socket of another file, because what tests open they
// hand over to the port, which closes it. AVA asks for that, and the workers of a worker inherit it.
import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';

if (workerThreads.isMainThread) {
  const { Worker } = workerThreads;
  workerThreads.Worker = class extends Worker {
    constructor(file, options) {
      super(file, { ...options, trackUnmanagedFds: false });
    }
  };
  syncBuiltinESMExports();
}
