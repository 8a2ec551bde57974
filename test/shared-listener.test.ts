import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test from 'ava';
import { Events, Interest, Poll, type SharedListener, TcpListener, TcpStream } from '../src/index.js';
import type { SharerData } from './fixtures/sharer.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { scaled } from './util/random.js';
import { connectTo, listen, readExactly } from './util/streams.js';
import { Barrier, TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
/** Passes nothing on. */
const patient = ioThreadFor(test, { passOnAfterMs: 2 ** 31 - 1 });

const PER_ROUND = 50;
const ROUNDS = scaled(40);
const COUNT = ROUNDS * PER_ROUND;

/** Threads that share a listener, and what they have accepted. */
class Sharers {
  readonly ready = new Barrier();
  readonly end = new Barrier();
  readonly accepted: Barrier[] = [];
  readonly threads: TestThread<number>[] = [];

  add(name: SharedListener, stalls = false): void {
    const accepted = new Barrier();
    const data: SharerData = {
      ioThread: ioThread.share(),
      name,
      ready: this.ready.words,
      accepted: accepted.words,
      end: this.end.words,
      stalls,
    };
    this.accepted.push(accepted);
    this.threads.push(new TestThread('sharer', data));
  }

  get counts(): number[] {
    return this.accepted.map(({ count }) => count);
  }

  async total(count: number): Promise<void> {
    const untilMs = performance.now() + 20_000;
    while (this.counts.reduce((sum, each) => sum + each) < count) {
      if (performance.now() > untilMs) throw new Error(`accepted ${this.counts} of ${count}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async finish(): Promise<number[]> {
    this.end.arrive();
    return Promise.all(this.threads.map((thread) => thread.finish()));
  }
}

async function connections(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(50, count - sockets.length) }, () => connect(port, '127.0.0.1'));
    for (const socket of batch) socket.on('error', () => {});
    await Promise.all(batch.map((socket) => once(socket, 'connect')));
    sockets.push(...batch);
  }
  return sockets;
}

function destroy(sockets: Socket[]): void {
  for (const socket of sockets) socket.destroy();
}

/** Four sharers on this thread, of which nothing is passed on: so who is dealt what depends on nobody's speed. */
class Table {
  readonly poll = new Poll({ ioThread: patient });
  readonly sharers: TcpListener[];
  readonly counts = [0, 0, 0, 0];
  readonly #events = new Events();

  constructor() {
    const first = listen();
    const name = first.share(patient);
    this.sharers = [first, ...[1, 2, 3].map(() => TcpListener.from(name))];
    for (const [token, sharer] of this.sharers.entries()) this.poll.registry.register(sharer, token, Interest.READABLE);
  }

  /** One connection, and whom it was dealt to; those of `stalled` accept nothing. */
  async deal(stalled: ReadonlySet<number> = new Set()): Promise<number> {
    const [socket] = await connections((this.sharers[0] as TcpListener).localAddress().port, 1);
    for (;;) {
      if (this.poll.poll(this.#events, 10_000) === 0)
        throw new Error(`a connection did not come, after ${this.counts}`);
      // One connection raises one event, but of one that was claimed before its event was read there may be another.
      for (const { token } of this.#events) {
        const accepted = stalled.has(token) ? undefined : this.sharers[token]?.accept();
        if (!stalled.has(token) && !accepted) continue;
        accepted?.stream.abort();
        (socket as Socket).destroy();
        this.counts[token] = (this.counts[token] as number) + 1;
        return token;
      }
    }
  }

  [Symbol.dispose](): void {
    for (const sharer of this.sharers) sharer.close();
    this.poll.close();
  }
}

test('connections are dealt to 4 sharers that are equally quick, each in its turn', async (t) => {
  using table = new Table();
  while (table.counts.reduce((sum, count) => sum + count) < COUNT) await table.deal();
  t.deepEqual(
    table.counts,
    [0, 1, 2, 3].map((index) => Math.floor((COUNT + 3 - index) / 4)),
  );
});

test('with one of 4 sharers behind, the other three take every new connection, in turn', async (t) => {
  using table = new Table();
  const stalled = new Set([0]);
  // Until it is behind.
  while ((await table.deal(stalled)) !== 0);
  const before = [...table.counts];
  for (let count = 0; count < COUNT / 10; count++) t.not(await table.deal(stalled), 0);
  const taken = table.counts.map((count, index) => count - (before[index] as number));
  t.is(taken[0], 0);
  t.true(Math.max(...taken.slice(1)) - Math.min(...taken.slice(1)) <= 1, taken.join());
  const own = table.sharers[0]?.accept()?.stream;
  t.truthy(own, 'what it was dealt is still its own: nobody was told to pass it on');
  own?.abort();
});

test('what one of 4 threads lets lie, and all that comes, the other three take', async (t) => {
  using listener = listen();
  const sharers = new Sharers();
  for (let index = 0; index < 4; index++) sharers.add(listener.share(ioThread), index === 0);
  await sharers.ready.reached(4);
  const sockets = await connections(listener.localAddress().port, 200);
  await sharers.total(200);
  t.is(sharers.counts[0], 0);
  t.deepEqual(await sharers.finish(), sharers.counts);
  destroy(sockets);
});

test('each connection goes to one of 4 threads that share a listener', async (t) => {
  using listener = listen();
  const sharers = new Sharers();
  for (let index = 0; index < 4; index++) sharers.add(structuredClone(listener.share(ioThread)));
  await sharers.ready.reached(4);
  const { port } = listener.localAddress();
  const sockets = await connections(port, COUNT / 2);
  destroy(sockets);
  destroy(await connections(port, COUNT / 2));
  await sharers.total(COUNT);
  const counts = await sharers.finish();
  t.log(counts.join());
  t.is(
    counts.reduce((sum, count) => sum + count),
    COUNT,
    'each to exactly one',
  );
  t.true(
    counts.every((count) => count > 0),
    counts.join(),
  );
});

test('a sharer that stalls is passed over, and what it had not claimed goes to the others', async (t) => {
  using listener = listen();
  const sharers = new Sharers();
  sharers.add(listener.share(ioThread), true);
  sharers.add(listener.share(ioThread));
  await sharers.ready.reached(2);
  const sockets = await connections(listener.localAddress().port, 100);
  await sharers.total(100);
  t.deepEqual(sharers.counts, [0, 100]);
  await sharers.finish();
  destroy(sockets);
});

test('a sharer that was passed over is dealt nothing while another accepts, and its share again once it accepts', async (t) => {
  using poll = new Poll({ ioThread });
  using stalled = listen();
  using quick = TcpListener.from(stalled.share(ioThread));
  poll.registry.register(stalled, 1, Interest.READABLE);
  poll.registry.register(quick, 2, Interest.READABLE);
  const { port } = stalled.localAddress();
  const events = new Events();
  const acceptAll = async (count: number, ...listeners: TcpListener[]) => {
    const counts = listeners.map(() => 0);
    while (counts.reduce((sum, each) => sum + each) < count) {
      if ((await poll.wait(events, 10_000)) === 0) throw new Error(`${counts} of ${count} came`);
      for (const [index, listener] of listeners.entries()) {
        for (let one = listener.accept(); one; one = listener.accept()) {
          one.stream.abort();
          counts[index] = (counts[index] as number) + 1;
        }
      }
    }
    return counts;
  };
  // Also those that were dealt to the one that accepts nothing.
  const sockets = await connections(port, 20);
  t.deepEqual(await acceptAll(20, quick), [20]);
  t.is(stalled.accept(), null);
  // A round trip: by then the I/O thread knows.
  await ioThread.stats();
  sockets.push(...(await connections(port, 20)));
  const counts = await acceptAll(20, stalled, quick);
  t.true((counts[0] as number) > 0, counts.join());
  destroy(sockets);
});

test('what a sharer had not claimed when it was terminated goes to the others', async (t) => {
  using listener = listen();
  const doomed = new Sharers();
  doomed.add(listener.share(ioThread), true);
  await doomed.ready.reached(1);
  const sockets = await connections(listener.localAddress().port, 50);
  await doomed.threads[0]?.worker.terminate();
  const heirs = new Sharers();
  heirs.add(listener.share(ioThread));
  heirs.add(listener.share(ioThread));
  await heirs.total(50);
  t.is(
    (await heirs.finish()).reduce((sum, count) => sum + count),
    50,
  );
  destroy(sockets);
});

test('what a sharer had not claimed when it closed goes to the others, in the same thread too', async (t) => {
  using poll = new Poll({ ioThread });
  const first = listen();
  poll.registry.register(first, 1, Interest.READABLE);
  const { port } = first.localAddress();
  const sockets = await connections(port, 3);
  expectEvents(poll, { token: 1, readable: true });
  using second = TcpListener.from(first.share());
  poll.registry.register(second, 2, Interest.READABLE);
  t.deepEqual(second.localAddress(), { address: '127.0.0.1', family: 'IPv4', port });
  first.close();
  const peers: number[] = [];
  while (peers.length < 3) {
    const accepted = second.accept();
    if (!accepted) expectEvents(poll, { token: 2, readable: true });
    else {
      peers.push(accepted.peer.port);
      const socket = sockets.find(({ localPort }) => localPort === accepted.peer.port);
      socket?.write('hello');
      poll.registry.register(accepted.stream, 3, Interest.READABLE);
      t.is(readExactly(poll, accepted.stream, 5).toString(), 'hello');
      accepted.stream.abort();
    }
  }
  t.deepEqual(peers.sort(), sockets.map(({ localPort }) => localPort as number).sort());
  destroy(sockets);
});

test('a listener passes from thread to thread by share and close, and loses no connection', async (t) => {
  using poll = new Poll({ ioThread });
  let listener = listen();
  const { port } = listener.localAddress();
  poll.registry.register(listener, 1, Interest.READABLE);
  const sockets: Socket[] = [];
  let accepted = 0;
  const acceptAll = () => {
    for (let one = listener.accept(); one; one = listener.accept()) {
      one.stream.abort();
      accepted++;
    }
  };
  for (let round = 0; round < 10; round++) {
    sockets.push(...(await connections(port, 10)));
    if (round % 3 === 0) acceptAll();
    const next = TcpListener.from(structuredClone(listener.share()));
    listener.close();
    listener = next;
    poll.registry.register(listener, 1, Interest.READABLE);
  }
  for (acceptAll(); accepted < 100; acceptAll()) expectEvents(poll, { token: 1, readable: true });
  t.is(accepted, 100);
  listener.close();
  destroy(sockets);
});

test('the socket closes with its last sharer; after that nobody can join', async (t) => {
  using poll = new Poll({ ioThread });
  const first = listen();
  poll.registry.register(first, 1, Interest.READABLE);
  const name = first.share();
  const second = TcpListener.from(name);
  const { port } = first.localAddress();
  first.close();
  const third = TcpListener.from(name);
  second.close();
  destroy(await connections(port, 1));
  third.close();
  t.throws(() => TcpListener.from(name), { code: 'ERR_SIDEPORT_CLOSED' });
  for (const wrong of [undefined, {}, { sideport: 'detached-stream' }]) {
    t.throws(() => TcpListener.from(wrong as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
});

test('a sharer with interest in nothing is dealt nothing', async (t) => {
  using poll = new Poll({ ioThread });
  using first = listen();
  poll.registry.register(first, 1, Interest.READABLE);
  using second = TcpListener.from(first.share());
  poll.registry.register(second, 2, Interest.READABLE);
  poll.registry.deregister(first);
  const sockets = await connections(first.localAddress().port, 10);
  for (let accepted = 0; accepted < 10; ) {
    const one = second.accept();
    if (!one) expectEvents(poll, { token: 2, readable: true });
    else {
      one.stream.abort();
      accepted++;
    }
  }
  t.is(first.accept(), null);
  destroy(sockets);
});

test('a connection that is accepted and detached at once does not look unclaimed to a listener that closes', (t) => {
  using poll = new Poll({ ioThread });
  for (let round = 0; round < 50; round++) {
    const listener = listen();
    poll.registry.register(listener, 0, Interest.READABLE);
    using client = connectTo(listener);
    poll.registry.register(client, 1, Interest.READABLE);
    expectEvents(poll, { token: 0, readable: true });
    const name = listener.accept()?.stream.detach();
    listener.close();
    poll.poll(new Events(), 2);
    if (!name) return t.fail('nothing was accepted');
    TcpStream.attach(name).abort();
  }
  t.pass();
});
