/** A reader that is blocked half the time, at up to 50 000 datagrams a second, or what a slow platform scales that to. */
import test from 'ava';
import { Events, Interest, type IoThread, Poll, UdpSocket } from '../src/index.js';
import type { UdpSenderData } from './fixtures/udp-sender.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows, unless } from './util/platform.js';
import { scaled } from './util/random.js';
import { Barrier, TestThread } from './util/thread.js';

const COUNT = scaled(50_000);
const PER_SECOND = COUNT;
const BYTES = 256;
const BLOCKED_MS = 100;
const FREE_MS = 100;

const sufficient = ioThreadFor(test, { maxDatagramBuffers: 32_768 });
const tooSmall = ioThreadFor(test, { datagramBuffers: 64, maxDatagramBuffers: 256 });

function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

interface Outcome {
  readonly received: number;
  readonly dropped: number;
  readonly disordered: number;
}

/** None where the system does not tell. */
const droppedBy = (socket: UdpSocket) => (onWindows ? 0 : socket.droppedCount());

/** Receives until everything sent is either there or counted as lost. `paced`: by the I/O thread, so that the kernel loses none. */
async function underLoad(ioThread: IoThread, paced: boolean): Promise<Outcome> {
  using poll = new Poll({ ioThread });
  using socket = UdpSocket.bind({ host: '127.0.0.1', port: 0, receiveBufferSize: 65_536 });
  poll.registry.register(socket, 0, Interest.READABLE);
  const done = new Barrier();
  const data: UdpSenderData = {
    port: socket.localAddress().port,
    count: COUNT,
    perSecond: PER_SECOND,
    bytes: BYTES,
    ...(paced && { paceOf: ioThread.share() }),
    done: done.words,
  };
  const sender = new TestThread('udp-sender', data);
  // A worker starts through the event loop of the thread that made it.
  await new Promise((resolve) => sender.worker.once('online', resolve));
  const events = new Events();
  let received = 0;
  let disordered = 0;
  let last = -1;
  while (done.count === 0 || received + droppedBy(socket) < COUNT) {
    const freeUntilMs = performance.now() + FREE_MS;
    while (performance.now() < freeUntilMs) {
      poll.poll(events, 5);
      for (let datagram = socket.take(); datagram; datagram = socket.take()) {
        const number = Buffer.from(datagram.bytes.buffer, datagram.bytes.byteOffset).readUInt32LE();
        if (number <= last) disordered++;
        last = number;
        received++;
        datagram.release();
      }
    }
    if (done.count === 0) block(BLOCKED_MS);
  }
  await sender.finish();
  return { received, dropped: droppedBy(socket), disordered };
}

test('with a sufficient pool none is lost, although the kernel has room for few', async (t) => {
  const { received, dropped, disordered } = await underLoad(sufficient, true);
  t.deepEqual({ received, dropped, disordered }, { received: COUNT, dropped: 0, disordered: 0 });
});

unless(onWindows, 'Windows does not tell how many datagrams it drops')(
  'with a pool too small the drops counted are exactly the datagrams missing',
  async (t) => {
    const { received, dropped, disordered } = await underLoad(tooSmall, false);
    t.is(received + dropped, COUNT);
    t.is(disordered, 0);
    t.true(dropped > 0, 'the test is about drops');
  },
);
