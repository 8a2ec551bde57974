import { once } from 'node:events';
import { createServer } from 'node:net';
import test from 'ava';
import { Events, Interest, IoThread, Poll, PollOpt, type SystemError, TcpListener, TcpStream } from '../src/index.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows, unless } from './util/platform.js';
import { connectTo, listen } from './util/streams.js';
import { PATIENCE_MS } from './util/thread.js';

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });
const localhost = { host: '127.0.0.1', port: 0 };

/** What `node:net` says when it cannot listen there. */
async function nodeError(host: string, port: number): Promise<NodeJS.ErrnoException> {
  const server = createServer().listen({ host, port });
  const [error] = await once(server, 'error');
  return error as NodeJS.ErrnoException;
}

function shapeOf(error: SystemError | NodeJS.ErrnoException) {
  const { message, code, errno, syscall, address, port } = error as SystemError;
  return { message, code, errno, syscall, address, port };
}

/** Accepts until `count` connections came. */
function acceptAll(poll: Poll, listener: TcpListener, count: number): TcpStream[] {
  const streams: TcpStream[] = [];
  const events = new Events();
  while (streams.length < count) {
    const accepted = listener.accept();
    if (accepted) streams.push(accepted.stream);
    else if (poll.poll(events, 10_000) === 0) throw new Error(`${streams.length} of ${count} connections came`);
  }
  return streams;
}

test('a port in use is thrown by bind as node:net throws it', async (t) => {
  using taken = TcpListener.bind(localhost);
  const { port } = taken.localAddress();
  const error = t.throws(() => TcpListener.bind({ ...localhost, port })) as SystemError;
  t.is(error.code, 'EADDRINUSE');
  t.deepEqual(shapeOf(error), shapeOf(await nodeError('127.0.0.1', port)));
});

test('an address that is not ours is thrown by bind as node:net throws it', async (t) => {
  const error = t.throws(() => TcpListener.bind({ host: '192.0.2.1', port: 0 })) as SystemError;
  t.is(error.code, 'EADDRNOTAVAIL');
  t.deepEqual(shapeOf(error), shapeOf(await nodeError('192.0.2.1', 0)));
});

test('a failed bind leaves no descriptor behind, and the port can be had later', (t) => {
  const taken = TcpListener.bind(localhost);
  const { port } = taken.localAddress();
  for (let time = 0; time < 100; time++) t.throws(() => TcpListener.bind({ ...localhost, port }));
  taken.close();
  const again = TcpListener.bind({ ...localhost, port });
  t.is(again.localAddress().port, port);
  again.close();
});

test('bad arguments are coded errors at the call', (t) => {
  for (const host of ['localhost', '', '1.2.3', '::1%eth0', undefined as unknown as string]) {
    t.throws(() => TcpListener.bind({ host, port: 0 }), { code: 'ERR_SIDEPORT_INVALID_ADDRESS' });
    t.throws(() => TcpStream.connect({ host, port: 1 }), { code: 'ERR_SIDEPORT_INVALID_ADDRESS' });
  }
  for (const port of [-1, 65_536, 0.5, Number.NaN, '80' as unknown as number]) {
    t.throws(() => TcpListener.bind({ ...localhost, port }), { code: 'ERR_SIDEPORT_INVALID_ARG' });
    t.throws(() => TcpStream.connect({ ...localhost, port }), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  for (const backlog of [0, -1, 1.5, 2 ** 31]) {
    t.throws(() => TcpListener.bind({ ...localhost, backlog }), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  t.throws(() => TcpListener.bind(undefined as unknown as typeof localhost), { code: 'ERR_SIDEPORT_INVALID_ADDRESS' });
});

test('one event may stand for many connections; each comes with its peer', (t) => {
  using poll = newPoll();
  using listener = listen();
  poll.registry.register(listener, 0, Interest.READABLE);
  t.is(listener.accept(), null);
  const clients = Array.from({ length: 20 }, (_, at) => {
    const client = connectTo(listener);
    poll.registry.register(client, at + 1, Interest.WRITABLE);
    return client;
  });
  expectEvents(poll, ...clients.map((_, at) => ({ token: at + 1, writable: true })));
  const servers = acceptAll(poll, listener, clients.length);
  t.is(listener.accept(), null);
  const ports = (streams: TcpStream[], which: 'localAddress' | 'peerAddress') =>
    streams.map((stream) => stream[which]()?.port).sort();
  t.deepEqual(ports(servers, 'peerAddress'), ports(clients, 'localAddress'));
  for (const server of servers) t.like(server.peerAddress(), { address: '127.0.0.1', family: 'IPv4' });
  for (const stream of [...clients, ...servers]) stream.abort();
});

test('connections made before the first register are accepted', (t) => {
  using poll = newPoll();
  using listener = listen();
  using client = connectTo(listener);
  poll.registry.register(client, 1, Interest.WRITABLE);
  expectEvents(poll, { token: 1, writable: true });
  t.is(listener.accept(), null);
  poll.registry.register(listener, 0, Interest.READABLE);
  expectEvents(poll, { token: 0, readable: true });
  const accepted = listener.accept();
  t.deepEqual(accepted?.peer, client.localAddress());
  accepted?.stream.abort();
});

test('accepting runs ahead by acceptAhead connections, the rest waits in the backlog and is not lost', async (t) => {
  await using eager = IoThread.start({ acceptAhead: 3 });
  using poll = new Poll({ ioThread: eager });
  using listener = listen();
  poll.registry.register(listener, 0, Interest.READABLE);
  const clients = Array.from({ length: 10 }, (_, at) => {
    const client = connectTo(listener);
    poll.registry.register(client, at + 1, Interest.WRITABLE);
    return client;
  });
  expectEvents(poll, { token: 0, readable: true }, ...clients.map((_, at) => ({ token: at + 1, writable: true })));
  // All are connected (with the kernel); here: the listener, 10 clients, and no more than 3 connections of its own.
  let { sources } = await eager.stats();
  while (sources < 14) ({ sources } = await eager.stats());
  t.is(sources, 14);
  const servers = acceptAll(poll, listener, clients.length);
  t.is(servers.length, 10);
  for (const stream of [...clients, ...servers]) stream.abort();
});

test('a listener that is not interested accepts nothing; registering again goes on', (t) => {
  using poll = newPoll();
  using listener = listen();
  poll.registry.register(listener, 0, Interest.READABLE);
  poll.registry.deregister(listener);
  using client = connectTo(listener);
  poll.registry.register(client, 1, Interest.WRITABLE);
  expectEvents(poll, { token: 1, writable: true });
  t.is(listener.accept(), null);
  poll.registry.register(listener, 2, Interest.READABLE);
  expectEvents(poll, { token: 2, readable: true });
  listener.accept()?.stream.abort();
});

test('after deregister an already accepted connection is still there to be taken', (t) => {
  using poll = newPoll();
  using listener = listen();
  poll.registry.register(listener, 0, Interest.READABLE);
  using client = connectTo(listener);
  poll.registry.register(client, 1, Interest.WRITABLE);
  expectEvents(poll, { token: 0, readable: true });
  poll.registry.deregister(listener);
  const accepted = listener.accept();
  t.truthy(accepted);
  accepted?.stream.abort();
});

test('closing a listener resets the connections that nobody took', (t) => {
  using poll = newPoll();
  const listener = listen();
  poll.registry.register(listener, 0, Interest.READABLE);
  using client = connectTo(listener);
  poll.registry.register(client, 1, Interest.READABLE | Interest.WRITABLE);
  expectEvents(poll, { token: 0, readable: true }, { token: 1, writable: true });
  listener.close();
  listener.close();
  t.true(listener.closed);
  expectEvents(poll, { token: 1, readable: true, error: true });
  t.throws(() => client.read(Buffer.alloc(1)), { code: 'ECONNRESET' });
  t.throws(() => listener.accept(), { code: 'ERR_SIDEPORT_CLOSED' });
  t.throws(() => listener.localAddress(), { code: 'ERR_SIDEPORT_CLOSED' });
});

test('a level listener is told of until the last connection is taken', (t) => {
  using poll = newPoll();
  using listener = listen();
  poll.registry.register(listener, 0, Interest.READABLE, PollOpt.LEVEL);
  const clients = [connectTo(listener), connectTo(listener)];
  clients.forEach((client, at) => {
    poll.registry.register(client, at + 1, Interest.WRITABLE);
  });
  const servers: TcpStream[] = [];
  while (servers.length < 2) {
    expectEvents(poll, { token: 0, readable: true });
    // One only, although there may be more: the level tells again.
    servers.push(listener.accept()?.stream as TcpStream);
  }
  const events = new Events();
  poll.poll(events, 0);
  t.false([...events].some(({ token }) => token === 0));
  for (const stream of [...clients, ...servers]) stream.abort();
});

test('a port is free for the next listener as soon as the listener is closed', (t) => {
  using poll = newPoll();
  let { port } = listen().localAddress();
  for (let round = 0; round < 20; round++) {
    const listener = TcpListener.bind(round === 0 ? localhost : { host: '127.0.0.1', port });
    ({ port } = listener.localAddress());
    poll.registry.register(listener, 0, Interest.READABLE);
    const client = connectTo(listener);
    poll.registry.register(client, 1, Interest.WRITABLE);
    expectEvents(poll, { token: 0, readable: true }, { token: 1, writable: true });
    const server = listener.accept()?.stream as TcpStream;
    // Closed at the server's side first: the connection stays in TIME_WAIT, which must not hold the port.
    server.close();
    client.close();
    listener.close();
    untilReleased(poll, port);
  }
  t.pass();
});

/** Closing returns at once; the I/O thread closes the descriptor right after. */
function untilReleased(poll: Poll, port: number): void {
  const events = new Events();
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return TcpListener.bind({ host: '127.0.0.1', port }).close();
    } catch (error) {
      if (performance.now() > untilMs || (error as SystemError).code !== 'EADDRINUSE') throw error;
      poll.poll(events, 1);
    }
  }
}

test('a listener on an IPv6 address takes IPv4 as well, unless ipv6Only', async (t) => {
  using poll = newPoll();
  using both = TcpListener.bind({ host: '::', port: 0 });
  t.like(both.localAddress(), { address: '::', family: 'IPv6' });
  poll.registry.register(both, 0, Interest.READABLE);
  for (const host of ['127.0.0.1', '::1']) {
    using client = TcpStream.connect({ host, port: both.localAddress().port });
    poll.registry.register(client, 1, Interest.WRITABLE);
    expectEvents(poll, { token: 0, readable: true }, { token: 1, writable: true });
    t.is(client.takeError(), null);
    const accepted = both.accept();
    t.is(accepted?.peer.address, host === '::1' ? '::1' : '::ffff:127.0.0.1');
    accepted?.stream.abort();
    client.abort();
  }
  using only = TcpListener.bind({ host: '::', port: 0, ipv6Only: true });
  using refused = TcpStream.connect({ host: '127.0.0.1', port: only.localAddress().port });
  poll.registry.register(refused, 2, Interest.WRITABLE);
  expectEvents(poll, { token: 2, writable: true });
  t.is(refused.takeError()?.code, 'ECONNREFUSED');
});

test('reusePort is refused by a system that has none', (t) => {
  const bind = () => TcpListener.bind({ ...localhost, reusePort: true });
  if (onWindows) t.throws(bind, { code: 'ENOTSUP' });
  else bind().close();
  t.pass();
});

unless(onWindows, 'Windows has no SO_REUSEPORT')(
  'listeners that both say reusePort share a port, and get all connections between them',
  (t) => {
    using poll = newPoll();
    using first = TcpListener.bind({ ...localhost, reusePort: true });
    const { port } = first.localAddress();
    t.throws(() => TcpListener.bind({ ...localhost, port }), { code: 'EADDRINUSE' });
    using second = TcpListener.bind({ ...localhost, port, reusePort: true });
    poll.registry.register(first, 1, Interest.READABLE);
    poll.registry.register(second, 2, Interest.READABLE);
    const clients = Array.from({ length: 32 }, () => {
      const client = connectTo(first);
      poll.registry.register(client, 0, Interest.WRITABLE);
      return client;
    });
    const events = new Events();
    const servers: TcpStream[] = [];
    while (servers.length < clients.length) {
      const accepted = first.accept() ?? second.accept();
      if (accepted) servers.push(accepted.stream);
      else if (poll.poll(events, 10_000) === 0) return t.fail(`${servers.length} connections came`);
    }
    t.is(first.accept() ?? second.accept(), null);
    for (const stream of [...clients, ...servers]) stream.abort();
  },
);

test('the time to live can be set, and is checked', (t) => {
  using listener = listen();
  listener.setTtl(61);
  t.is(listener.getTtl(), 61);
  for (const ttl of [0, 256, -1]) t.throws(() => listener.setTtl(ttl), { code: 'EINVAL', message: /^setsockopt/ });
  using six = TcpListener.bind({ host: '::1', port: 0 });
  six.setTtl(7);
  t.is(six.getTtl(), 7);
});
