import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { wrap } from 'comlink';
import { Piscina } from 'piscina';
import { Awakener, ForeignStream, Interest, Poll, Timer, UdpSocket } from '../src/index.js';
import type { PassedIn, use } from './fixtures/passed-in.js';
import { expectEvents } from './util/expect-events.js';
import { openPipe } from './util/handles.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows } from './util/platform.js';
import { listen, Pair, readToEnd, writeAll } from './util/streams.js';

const ioThread = ioThreadFor(test);
const file = new URL('./fixtures/passed-in.js', import.meta.url);

/** Ways of handing an object to a thread; each resolves to what came back. */
const ways: Record<string, (passed: PassedIn) => Promise<number>> = {
  async workerData(passed) {
    const worker = new Worker(file, { workerData: { how: 'workerData', passed } });
    return (await once(worker, 'message'))[0] as number;
  },
  async postMessage(passed) {
    const worker = new Worker(file, { workerData: { how: 'postMessage' } });
    worker.postMessage(passed);
    return (await once(worker, 'message'))[0] as number;
  },
  async piscina(passed) {
    const pool = new Piscina({ filename: file.href, maxThreads: 1 });
    const port = (await pool.run(passed)) as number;
    await pool.destroy();
    return port;
  },
  async comlink(passed) {
    const worker = new Worker(file, { workerData: { how: 'comlink' } });
    const proxy = wrap<{ use: typeof use }>(nodeEndpoint(worker) as never);
    const port = await proxy.use(passed, 'comlink');
    await worker.terminate();
    return port;
  },
};

/** A Worker's events carry messages themselves, where the web's carry them in `data`. */
function nodeEndpoint(worker: Worker) {
  const listeners = new Map<unknown, (data: unknown) => void>();
  return {
    postMessage: worker.postMessage.bind(worker),
    addEventListener(_type: string, listener: (event: { data: unknown }) => void) {
      const heard = (data: unknown) => listener({ data });
      listeners.set(listener, heard);
      worker.on('message', heard);
    },
    removeEventListener(_type: string, listener: unknown) {
      const heard = listeners.get(listener);
      if (heard) worker.off('message', heard);
    },
  };
}

for (const [how, pass] of Object.entries(ways)) {
  test(`names of detached and shared sources, of halves, of a detached Poll, of an Awakener and of an I/O thread pass through ${how}`, async (t) => {
    using pair = new Pair(ioThread);
    using duplex = new Pair(ioThread);
    writeAll(duplex.poll, duplex.client, Buffer.from(how));
    using listener = listen();
    const { port } = listener.localAddress();
    using udp = onWindows ? undefined : UdpSocket.bind({ host: '127.0.0.1', port: 0 });
    const ends = openPipe();
    const reader = ForeignStream.fromDescriptor(ends.reader);
    using writer = ForeignStream.fromDescriptor(ends.writer);
    pair.poll.registry.register(writer, 8, Interest.WRITABLE);
    writeAll(pair.poll, writer, Buffer.from(how));
    const awakener = new Awakener(pair.poll.registry, 9);
    const moving = new Poll({ ioThread });
    moving.registry.register(Timer.after(1), 3, Interest.READABLE);
    moving.registry.register(listen(), 4, Interest.READABLE);
    const passed = {
      ioThread: ioThread.share(),
      stream: pair.server.detach(),
      foreign: reader.detach(ioThread),
      halves: duplex.server.split(),
      listener: listener.share(ioThread),
      timer: Timer.after(1).detach(),
      awakener: awakener.share(),
      poll: moving.detach(),
      udp: udp?.share(ioThread),
    };
    t.is(await pass(passed), port);
    expectEvents(pair.poll, { token: 9, readable: true });
    t.is(readToEnd(pair.poll, pair.client).toString(), how);
    t.is(readToEnd(duplex.poll, duplex.client).toString(), how);
  });
}
