/** sideport on the main thread accepts, and moves each connection to one of two workers that handle it. */
import { Worker } from 'node:worker_threads';
import { Events, Interest, IoThread, Poll, TcpListener } from '../../../src/index.js';
import { nameIoThread } from '../../lib/thread-names.js';
import { announce, endByItself, size } from '../serve.js';

const THREADS = 2;

endByItself();
const ioThread = nameIoThread(() => IoThread.default());
const workers = Array.from(
  { length: THREADS },
  () =>
    new Worker(new URL('./sideport-moves-worker.js', import.meta.url), {
      workerData: { ioThread: ioThread.share(), size },
    }),
);
const poll = new Poll({ ioThread });
const listener = TcpListener.bind({ host: '127.0.0.1', port: 0 });
poll.registry.register(listener, 0, Interest.READABLE);
announce([listener.localAddress().port]);

const events = new Events();
for (let next = 0; ; ) {
  await poll.wait(events);
  for (let one = listener.accept(); one; one = listener.accept()) {
    one.stream.setNoDelay();
    workers[next++ % THREADS]?.postMessage(one.stream.detach());
  }
}
