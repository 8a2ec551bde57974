import { createSocket, type Socket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Events, Interest, Poll, type SharedUdpSocket, UdpSocket, UnixDatagram } from '../src/index.js';
import type { UdpSharerData } from './fixtures/udp-sharer.js';
import { bindUdp, endpointOf, receive, sendAll } from './util/datagrams.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows, unless } from './util/platform.js';
import { Barrier, TestThread } from './util/thread.js';

const posix = unless(onWindows, 'Windows has no Unix-domain sockets');
const ioThread = ioThreadFor(test);
const small = ioThreadFor(test, { datagramBuffers: 8, maxDatagramBuffers: 16 });
const folder = mkdtempSync(join(tmpdir(), 'sideport-shared-udp-'));
test.after.always('the sockets’ folder is removed', () => rmSync(folder, { recursive: true, force: true }));

const BOTH = Interest.READABLE | Interest.WRITABLE;

/** What comes from here is numbered. */
class Numbers {
  readonly socket: Socket = createSocket('udp4');
  #sent = 0;

  /** Resolves once the kernel has them. */
  async send(port: number, count: number): Promise<void> {
    for (let left = count; left > 0; left--) {
      const datagram = Buffer.from(`${this.#sent++}`);
      await new Promise((resolve) => this.socket.send(datagram, port, '127.0.0.1', resolve));
    }
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}

/** Everything that is there for a socket now. */
function readAll(socket: UdpSocket): number[] {
  const into = Buffer.alloc(64);
  const numbers: number[] = [];
  for (let one = socket.recvFrom(into); one; one = socket.recvFrom(into)) {
    numbers.push(Number(into.toString('latin1', 0, one.length)));
  }
  return numbers;
}

/** Polls until the sockets have got so many between them. */
function gather(poll: Poll, sockets: readonly UdpSocket[], count: number): number[][] {
  const got: number[][] = sockets.map(() => []);
  const events = new Events();
  const untilMs = performance.now() + 10_000;
  for (;;) {
    for (const [index, socket] of sockets.entries()) got[index]?.push(...readAll(socket));
    const total = got.reduce((sum, { length }) => sum + length, 0);
    if (total >= count) return got;
    if (performance.now() > untilMs) throw new Error(`${total} of ${count} datagrams came`);
    poll.poll(events, 100);
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at);
const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

test('each datagram goes to one sharer, the least behind, in turn when all are equal', async (t) => {
  using poll = new Poll({ ioThread });
  using numbers = new Numbers();
  const first = bindUdp();
  const name = structuredClone(first.share(ioThread));
  const sockets = [first, ...upTo(3).map(() => UdpSocket.from(name))];
  for (const [token, socket] of sockets.entries()) poll.registry.register(socket, token, Interest.READABLE);
  await numbers.send(first.localAddress().port, 100);
  // Nobody has read one: so each is dealt the next when all have as many.
  while ((await ioThread.stats()).datagramBuffersHeld < 100);
  const got = gather(poll, sockets, 100);
  t.deepEqual(sorted(got.flat()), upTo(100));
  t.deepEqual(
    got.map(({ length }) => length),
    [25, 25, 25, 25],
  );
  for (const mine of got) t.deepEqual(mine, sorted(mine), 'in order');
  for (const socket of sockets) socket.close();
});

test('who is behind is passed over until it has read', async (t) => {
  using poll = new Poll({ ioThread });
  using numbers = new Numbers();
  using first = bindUdp();
  using second = UdpSocket.from(first.share(ioThread));
  poll.registry.register(first, 1, Interest.READABLE);
  poll.registry.register(second, 2, Interest.READABLE);
  const { port } = first.localAddress();
  let read = 0;
  for (let round = 0; round < 20; round++) {
    await numbers.send(port, 1);
    // The first never reads: it has one, and no more.
    if (round > 0 || second.peek(Buffer.alloc(1)) !== null) expectEvents(poll, { token: 2, readable: true });
    else poll.poll(new Events(), 100);
    read += readAll(second).length;
  }
  t.true(read >= 18, `${read}`);
  t.true(readAll(first).length <= 2);
});

test('a sharer with interest in nothing is dealt nothing, and joins in when it is interested', async (t) => {
  using poll = new Poll({ ioThread });
  using numbers = new Numbers();
  using first = bindUdp();
  using second = UdpSocket.from(first.share(ioThread));
  poll.registry.register(second, 2, Interest.READABLE);
  const { port } = first.localAddress();
  await numbers.send(port, 10);
  t.deepEqual(gather(poll, [second], 10)[0], upTo(10));
  poll.registry.reregister(second, 2, Interest.WRITABLE);
  poll.registry.register(first, 1, Interest.READABLE);
  await numbers.send(port, 10);
  t.deepEqual(gather(poll, [first], 10)[0]?.length, 10);
});

test('what a sharer had not read when it closed goes to the others, before what comes then', async (t) => {
  using poll = new Poll({ ioThread });
  using numbers = new Numbers();
  const first = bindUdp();
  poll.registry.register(first, 1, Interest.READABLE);
  const { port } = first.localAddress();
  await numbers.send(port, 10);
  expectEvents(poll, { token: 1, readable: true });
  const lease = first.take();
  t.is(lease?.length, 1);
  using second = UdpSocket.from(first.share());
  first.close();
  t.throws(() => lease?.bytes, { code: 'ERR_SIDEPORT_LEASE_RELEASED' });
  poll.registry.register(second, 2, Interest.READABLE);
  await numbers.send(port, 10);
  // The first was taken: it is the lease's, not unread.
  t.deepEqual(gather(poll, [second], 19)[0], upTo(20).slice(1));
  await numbers.send(port, 5);
  t.is(gather(poll, [second], 5)[0]?.length, 5, 'an only sharer again');
});

test('a socket passes from thread to thread by share and close, and loses nothing', async (t) => {
  using poll = new Poll({ ioThread });
  using numbers = new Numbers();
  let socket = bindUdp();
  const { port } = socket.localAddress();
  poll.registry.register(socket, 1, Interest.READABLE);
  const got: number[] = [];
  for (let round = 0; round < 20; round++) {
    await numbers.send(port, 10);
    if (round % 3 === 0) got.push(...readAll(socket));
    const next = UdpSocket.from(structuredClone(socket.share()));
    if (round % 2 === 0) await numbers.send(port, 10);
    socket.close();
    socket = next;
    poll.registry.register(socket, 1, Interest.READABLE);
  }
  got.push(...(gather(poll, [socket], 300 - got.length)[0] ?? []));
  t.deepEqual(got, upTo(300));
  socket.close();
});

test('every sharer sends, also many at once, and each hears of its own errors', (t) => {
  using poll = new Poll({ ioThread });
  using first = bindUdp();
  using second = UdpSocket.from(first.share(ioThread));
  using target = bindUdp();
  poll.registry.register(first, 1, Interest.WRITABLE);
  poll.registry.register(second, 2, Interest.WRITABLE);
  poll.registry.register(target, 3, Interest.READABLE);
  for (let at = 0; at < 100; at++) {
    sendAll(poll, first, Buffer.from(`a${at}`), endpointOf(target));
    sendAll(poll, second, Buffer.from(`b${at}`), endpointOf(target));
  }
  const texts = receive(poll, target, 200).map(({ text, received }) => {
    t.is(received.from.port, first.localAddress().port);
    return text;
  });
  for (const from of ['a', 'b']) {
    t.deepEqual(
      texts.filter((text) => text.startsWith(from)),
      upTo(100).map((at) => `${from}${at}`),
    );
  }
  // A broadcast without leave to broadcast is refused by the kernel.
  second.sendTo(Buffer.from('x'), { host: '255.255.255.255', port: 9 });
  expectEvents(poll, { token: 2, error: true });
  t.is(second.takeError()?.code, 'EACCES');
  t.is(first.takeError(), null);
});

test('what a sharer sent right before it closed is sent, and the socket closes with the last', async (t) => {
  using poll = new Poll({ ioThread });
  using target = bindUdp();
  poll.registry.register(target, 3, Interest.READABLE);
  const first = bindUdp();
  const name = first.share(ioThread);
  const second = UdpSocket.from(name);
  const { port } = first.localAddress();
  for (let at = 0; at < 50; at++) sendAll(poll, first, Buffer.from(`${at}`), endpointOf(target));
  first.close();
  t.is(receive(poll, target, 50).length, 50);
  t.throws(() => UdpSocket.bind({ host: '127.0.0.1', port }), { code: 'EADDRINUSE' });
  second.sendTo(Buffer.from('last'), endpointOf(target));
  second.close();
  t.is(receive(poll, target, 1)[0]?.text, 'last');
  t.throws(() => UdpSocket.from(name), { code: 'ERR_SIDEPORT_CLOSED' });
  t.throws(() => UdpSocket.from({} as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  while ((await ioThread.stats()).sources > 1);
  UdpSocket.bind({ host: '127.0.0.1', port }).close();
});

test('when all are behind the kernel holds what comes, and it is dealt when they read', async (t) => {
  using poll = new Poll({ ioThread: small });
  using numbers = new Numbers();
  using first = bindUdp();
  using second = UdpSocket.from(first.share(small));
  poll.registry.register(first, 1, Interest.READABLE);
  poll.registry.register(second, 2, Interest.READABLE);
  await numbers.send(first.localAddress().port, 100);
  const got = gather(poll, [first, second], 100);
  t.deepEqual(sorted(got.flat()), upTo(100));
  for (const mine of got) t.deepEqual(mine, sorted(mine));
});

/** Threads that share a socket. */
function sharer(name: SharedUdpSocket, ready: Barrier, received: Barrier, end: Barrier, stalls = false) {
  const data: UdpSharerData = {
    ioThread: ioThread.share(),
    name,
    ready: ready.words,
    received: received.words,
    end: end.words,
    stalls,
  };
  return new TestThread<number[]>('udp-sharer', data);
}

test('threads that come, stall and are terminated: what they did not read the others do', async (t) => {
  using numbers = new Numbers();
  using first = bindUdp();
  const { port } = first.localAddress();
  const [ready, received, end] = [new Barrier(), new Barrier(), new Barrier()];
  const doomed = sharer(first.share(ioThread), ready, new Barrier(), end, true);
  await ready.reached(1);
  // As many as the kernel holds if nobody takes any.
  const count = 100;
  await numbers.send(port, count);
  const threads = upTo(3).map(() => sharer(first.share(ioThread), ready, received, end));
  await ready.reached(4);
  await numbers.send(port, count);
  await doomed.worker.terminate();
  await received.reached(2 * count);
  end.arrive();
  const got = await Promise.all(threads.map((thread) => thread.finish()));
  t.deepEqual(sorted(got.flat()), upTo(2 * count));
});

posix('a Unix socket of datagrams is shared as well, and its file goes with the last sharer', (t) => {
  using poll = new Poll({ ioThread });
  const path = join(folder, 'datagrams');
  const first = UnixDatagram.bind(path);
  const second = UnixDatagram.from(structuredClone(first.share(ioThread)));
  poll.registry.register(first, 1, Interest.READABLE);
  poll.registry.register(second, 2, Interest.READABLE);
  using sender = UnixDatagram.unbound();
  poll.registry.register(sender, 3, BOTH);
  for (let at = 0; at < 4; at++) t.is(sender.sendTo(Buffer.from(`${at}`), path), 1);
  const into = Buffer.alloc(8);
  const read = new Set<string>();
  const events = new Events();
  const untilMs = performance.now() + 10_000;
  while (read.size < 4 && performance.now() < untilMs) {
    poll.poll(events, 100);
    for (const socket of [first, second])
      for (let one = socket.recv(into); one !== null; one = socket.recv(into))
        read.add(into.toString('latin1', 0, one));
  }
  t.deepEqual([...read].sort(), ['0', '1', '2', '3']);
  first.close();
  t.true(existsSync(path));
  second.close();
  t.false(existsSync(path));
});
