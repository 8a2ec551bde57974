/**
 * The I/O thread's worker. Its file is a bundle (scripts/bundle.mjs), seen alike from both places where this code is: `dist/src`, and the
 * package's own bundle in `dist/lib`. Bundlers of programs know the form `new Worker(new URL(…, import.meta.url))` and take the file along.
 */
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** `workerUrl`: instead of the file that the package has. */
export function newIoThreadWorker(options: WorkerOptions, workerUrl?: URL): Worker {
  if (workerUrl) return new Worker(workerUrl, options);
  return new Worker(new URL('../lib/io-thread.cjs', import.meta.url), options);
}
