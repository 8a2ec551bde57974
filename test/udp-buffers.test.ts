/** What becomes of datagrams that nobody reads: an I/O thread with few, large datagram buffers. */
import test from 'ava';
import { Events, IoThread, Poll } from '../src/index.js';
import { bindUdp, drainTo, endpointOf, sendAll, UdpPair } from './util/datagrams.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows, unless } from './util/platform.js';

const BUFFERS = 8;
const MOST = 16;
const ioThread = ioThreadFor(test, {
  datagramBufferSize: 65_664,
  datagramBuffers: BUFFERS,
  maxDatagramBuffers: MOST,
  spinUs: 0,
});

test('the longest datagram goes through whole where the buffers are large enough', (t) => {
  using pair = new UdpPair(ioThread);
  const bytes = Buffer.from(Uint8Array.from({ length: 65_507 }, (_, at) => (at * 7) % 256));
  pair.send(bytes);
  const [got] = pair.receive(1);
  t.is(got?.text, bytes.toString('latin1'));
  t.false(got?.received.truncated);
});

const counted = unless(onWindows, 'Windows does not tell how many datagrams it drops');
counted('with buffers for few the kernel keeps what it can, and the drops counted are the datagrams missing', (t) => {
  using pair = new UdpPair(ioThread);
  pair.b.setReceiveBufferSize(65_536);
  const sent = 1500;
  for (let at = 0; at < sent; at++) pair.send(`${at}`);
  // Not before all of them are with the kernel: a connect waits for that.
  pair.a.connect(endpointOf(pair.b));
  const got: number[] = [];
  while (got.length + pair.b.droppedCount() < sent) {
    const [one] = pair.receive(1);
    got.push(Number(one?.text));
  }
  t.deepEqual(drainTo(pair), [], 'nothing that was counted as lost comes after all');
  const missing = sent - got.length;
  t.is(pair.b.droppedCount(), missing);
  t.true(missing > 0, 'the test is about drops');
  t.true(got.length >= MOST, 'the pool has grown to its limit');
  t.deepEqual(
    got,
    got.toSorted((a, b) => a - b),
    'in order',
  );
});

test('a socket with nothing unread receives although another’s datagrams fill the pool', (t) => {
  using pair = new UdpPair(ioThread);
  using other = bindUdp();
  pair.poll.registry.register(other, 3, 1);
  for (let at = 0; at < 100; at++) pair.send(`${at}`);
  pair.a.connect(endpointOf(pair.b));
  for (let round = 0; round < 5; round++) {
    sendAll(pair.poll, pair.a, Buffer.from(`to other ${round}`), endpointOf(other));
    expectEvents(pair.poll, { token: 3, readable: true });
    const into = Buffer.alloc(32);
    t.is(into.toString('latin1', 0, other.recv(into) ?? 0), `to other ${round}`);
  }
  t.is(drainTo(pair).length, 100);
});

test('leases hold their buffers: released one by one, they let the kernel’s datagrams in', (t) => {
  using pair = new UdpPair(ioThread);
  for (let at = 0; at < 40; at++) pair.send(`${at}`);
  const events = new Events();
  const seen: string[] = [];
  while (seen.length < 40) {
    const taken = pair.b.take();
    if (!taken) {
      pair.poll.poll(events, 10_000);
      continue;
    }
    seen.push(Buffer.from(taken.copy()).toString());
    taken.release();
  }
  t.deepEqual(
    seen,
    Array.from({ length: 40 }, (_, at) => `${at}`),
  );
});

test('a pool that has grown gives its memory back', async (t) => {
  using pair = new UdpPair(ioThread);
  for (let at = 0; at < MOST; at++) pair.send(`${at}`);
  pair.receive(MOST);
  for (let at = 0; at < 200; at++) {
    const { datagramBuffers } = await ioThread.stats();
    if (datagramBuffers === BUFFERS) {
      t.pass();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.fail('it did not');
});

test('limits that contradict each other are refused', (t) => {
  t.throws(() => IoThread.start({ datagramBuffers: 100, maxDatagramBuffers: 50 }), {
    code: 'ERR_SIDEPORT_INVALID_ARG',
  });
  t.throws(() => IoThread.start({ datagramBufferSize: 128 }), { code: 'ERR_SIDEPORT_INVALID_ARG' });
});

test('sockets of a thread that is a client of two I/O threads do not mix', async (t) => {
  await using second = IoThread.start({ datagramBuffers: 4 });
  using poll = new Poll({ ioThread: second });
  using socket = bindUdp();
  using pair = new UdpPair(ioThread);
  poll.registry.register(socket, 9, 1);
  t.throws(() => pair.poll.registry.register(socket, 9, 1), { code: 'ERR_SIDEPORT_OTHER_IO_THREAD' });
  sendAll(pair.poll, pair.a, Buffer.from('across'), endpointOf(socket));
  expectEvents(poll, { token: 9, readable: true });
  t.is(socket.recv(Buffer.alloc(9)), 6);
});
