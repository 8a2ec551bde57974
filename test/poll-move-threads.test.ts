import test from 'ava';
import { type DetachedPoll, Events, Interest, Poll, type TcpListener, TcpStream, Timer } from '../src/index.js';
import { bindUdp, endpointOf, receive, sendAll } from './util/datagrams.js';
import { awaitEvents, expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { LISTENER, type PollHeirAnswer, type PollHeirData, TIMER } from './util/poll-server.js';
import { BOTH, listen, Pair, readToEnd } from './util/streams.js';
import { PATIENCE_MS, TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
/** Closes soon what nobody attaches. */
const hasty = ioThreadFor(test, { transferTimeoutMs: 300 });
const CHUNK = 65_536;
const pattern = new Pattern(3, CHUNK);

/** A client that writes so many bytes and checks that the same come back. */
class EchoClient {
  readonly stream: TcpStream;
  readonly #total: number;
  #written = 0;
  read = 0;
  over = false;

  constructor(port: number, total: number) {
    this.stream = TcpStream.connect({ host: '127.0.0.1', port });
    this.#total = total;
  }

  go(): void {
    if (this.over) return;
    while (this.#written < this.#total) {
      const rest = Math.min(CHUNK, this.#total - this.#written);
      const count = this.stream.write(pattern.at(this.#written, rest));
      if (count === null) break;
      this.#written += count;
      if (this.#written === this.#total) this.stream.shutdown('write');
    }
    const into = Buffer.alloc(CHUNK);
    for (let count = this.stream.read(into); count !== null; count = this.stream.read(into)) {
      if (!pattern.matches(this.read, into.subarray(0, count))) throw new Error(`wrong bytes from ${this.read} on`);
      this.read += count;
      if (count > 0) continue;
      this.over = true;
      this.stream.close();
      return;
    }
  }
}

test('a Poll moves from thread to thread in the midst of traffic: nothing is lost, doubled or reordered', async (t) => {
  const [STREAMS, HOPS, BYTES] = [8, 8, 2 * 2 ** 20];
  const startedMs = performance.now();
  const poll = new Poll({ ioThread });
  const clients: EchoClient[] = [];
  let port = 0;
  const connect = () => {
    const client = new EchoClient(port, BYTES);
    poll.registry.register(client.stream, clients.length, BOTH);
    clients.push(client);
  };
  let [expirations, ended] = [0, 0];
  let last: DetachedPoll | undefined;
  const serve = async () => {
    for (let hop = 0; hop < HOPS; hop++) {
      const polls = hop < HOPS - 1 ? 20 : Number.POSITIVE_INFINITY;
      const data: PollHeirData = { ioThread: ioThread.share(), name: last, polls, streams: STREAMS - ended };
      const thread = new TestThread<PollHeirAnswer>('poll-heir', data);
      if (!last) port = await thread.message<number>();
      // Some connect while it is served, and some while it is on its way.
      if (clients.length < STREAMS) connect();
      const answer = await thread.value;
      if (clients.length < STREAMS) connect();
      last = answer.name;
      expirations += answer.expirations;
      ended += answer.ended;
      await thread.exited;
    }
  };
  const served = serve();
  let failed = false;
  served.catch(() => {
    failed = true;
  });
  const events = new Events();
  while (!failed && (clients.length < STREAMS || clients.some(({ over }) => !over))) {
    await poll.wait(events, 100);
    for (const { token } of events) clients[token]?.go();
  }
  await served;
  t.is(ended, STREAMS);
  t.deepEqual(
    clients.map(({ read }) => read),
    clients.map(() => BYTES),
  );
  const end = Poll.attach(last as DetachedPoll);
  const sources = new Map(end.sources);
  t.deepEqual([...sources.keys()], [LISTENER, TIMER]);
  const timer = sources.get(TIMER) as Timer;
  await awaitEvents(end.poll, { token: TIMER, readable: true });
  const before = Math.floor((performance.now() - startedMs) / 2);
  expirations += timer.read() ?? 0;
  // It was set after the start: not one expiry more than there was time for.
  t.true(expirations > 0 && expirations <= before + 1, `${expirations} of ${before}`);
  for (const source of sources.values()) source.close();
  end.poll.close();
  poll.close();
});

test('a Poll outlives the thread that detached it, with the listener that nobody else has', async (t) => {
  const data: PollHeirData = { ioThread: ioThread.share(), name: undefined, polls: 0, streams: 1 };
  const thread = new TestThread<PollHeirAnswer>('poll-heir', data);
  const port = await thread.message<number>();
  const { name } = await thread.finish();
  using peers = new Poll({ ioThread });
  using client = TcpStream.connect({ host: '127.0.0.1', port });
  peers.registry.register(client, 1, BOTH);
  expectEvents(peers, { token: 1, writable: true });
  t.is(client.takeError(), null);
  const { poll, sources } = Poll.attach(name);
  expectEvents(poll, { token: LISTENER, readable: true }, { token: TIMER, readable: true });
  const listener = new Map(sources).get(LISTENER) as TcpListener;
  const accepted = listener.accept();
  t.deepEqual(accepted?.peer, client.localAddress());
  accepted?.stream.abort();
  for (const [, source] of sources) source.close();
  poll.close();
});

test('what nobody attaches is closed when its time is over, and the name has expired then', async (t) => {
  using pair = new Pair(hasty);
  const first = new Poll({ ioThread: hasty });
  const listener = listen();
  pair.poll.registry.deregister(pair.server);
  first.registry.register(pair.server, 1, BOTH);
  first.registry.register(listener, 2, Interest.READABLE);
  const { port } = listener.localAddress();
  const name = first.detach();
  t.is(readToEnd(pair.poll, pair.client).length, 0);
  const untilMs = performance.now() + PATIENCE_MS;
  while ((await hasty.stats()).socketsInTransfer > 0 && performance.now() < untilMs);
  using late = TcpStream.connect({ host: '127.0.0.1', port });
  pair.poll.registry.register(late, 3, BOTH);
  expectEvents(pair.poll, { token: 3, error: true });
  t.is(late.takeError()?.code, 'ECONNREFUSED');
  for (const copy of [name, structuredClone(name)]) {
    t.throws(() => Poll.attach(copy), { code: 'ERR_SIDEPORT_TRANSFER_EXPIRED' });
  }
});

test('of a Poll that has expired in part everything is closed', (t) => {
  using pair = new Pair(hasty);
  const first = new Poll({ ioThread: hasty });
  pair.poll.registry.deregister(pair.server);
  first.registry.register(Timer.every(1), 1, Interest.READABLE);
  first.registry.register(listen(), 2, Interest.READABLE);
  first.registry.register(pair.server, 3, BOTH);
  const name = first.detach();
  t.is(readToEnd(pair.poll, pair.client).length, 0);
  // Its timer does not expire, and arrives first. After each test nothing is open.
  t.throws(() => Poll.attach(name), { code: 'ERR_SIDEPORT_TRANSFER_EXPIRED' });
});

test('timers alone do not expire', async (t) => {
  const first = new Poll({ ioThread: hasty });
  first.registry.register(Timer.every(1), 1, Interest.READABLE);
  const name = first.detach();
  using clock = new Poll({ ioThread: hasty });
  using later = Timer.after(400);
  clock.registry.register(later, 1, Interest.READABLE);
  await awaitEvents(clock, { token: 1, readable: true });
  const { poll, sources } = Poll.attach(name);
  expectEvents(poll, { token: 1, readable: true });
  t.is(sources.length, 1);
  for (const [, source] of sources) source.close();
  poll.close();
});

test('datagrams not read go along in order, before those that come on the way; those sent before go before those sent after', (t) => {
  using peers = new Poll({ ioThread });
  using peer = bindUdp();
  peers.registry.register(peer, 1, BOTH);
  let socket = bindUdp();
  let poll = new Poll({ ioThread });
  poll.registry.register(socket, 2, BOTH);
  const [here, there] = [endpointOf(socket), endpointOf(peer)];
  let sent = 0;
  const send = () => sendAll(peers, peer, Buffer.from(`${sent++}`), here);
  const texts: string[] = [];
  for (let hop = 0; hop < 20; hop++) {
    for (let count = 0; count < 5; count++) send();
    // Some are known to this thread, some are in its memory, some in the kernel.
    if (hop % 2 === 0) texts.push(...receive(poll, socket, 1).map(({ text }) => text));
    sendAll(poll, socket, Buffer.from(`${2 * hop}`), there);
    const name = structuredClone(poll.detach());
    send();
    const attached = Poll.attach(name);
    [poll, socket] = [attached.poll, attached.sources[0]?.[1] as typeof socket];
    sendAll(poll, socket, Buffer.from(`${2 * hop + 1}`), there);
  }
  texts.push(...receive(poll, socket, sent - texts.length).map(({ text }) => text));
  t.deepEqual(
    texts,
    Array.from({ length: sent }, (_, at) => `${at}`),
  );
  t.deepEqual(
    receive(peers, peer, 40).map(({ text }) => text),
    Array.from({ length: 40 }, (_, at) => `${at}`),
  );
  socket.close();
  poll.close();
});

test('with a datagram on loan a Poll does not move', (t) => {
  using peers = new Poll({ ioThread });
  using peer = bindUdp();
  peers.registry.register(peer, 1, BOTH);
  using socket = bindUdp();
  using poll = new Poll({ ioThread });
  poll.registry.register(socket, 2, BOTH);
  sendAll(peers, peer, Buffer.from('lent'), endpointOf(socket));
  expectEvents(poll, { token: 2, readable: true });
  const datagram = socket.take();
  t.throws(() => poll.detach(), { code: 'ERR_SIDEPORT_LEASE_HELD' });
  t.is(Buffer.from(datagram?.copy() ?? []).toString(), 'lent');
  datagram?.release();
  const moved = Poll.attach(poll.detach());
  for (const [, source] of moved.sources) source.close();
  moved.poll.close();
});
