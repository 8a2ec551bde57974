import test from 'ava';
import { Events, NamedPipe, Poll, type SystemError } from '../src/index.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { CLIENT, connectSoon, join, newName, pair, SERVER, windows } from './util/pipes.js';
import { BOTH, readExactly, writeAll } from './util/streams.js';

// Small buffers, so that what is in flight is many.
const ioThread = ioThreadFor(test, { receiveBufferSize: 4096, sendBufferSize: 16_384, sendHighWaterBytes: 65_536 });
const newPoll = () => new Poll({ ioThread });
const text = (string: string) => Buffer.from(string);
const bytesOf = new Pattern(7, 100_000);
const pattern = (length: number) => bytesOf.at(0, length);

windows('one instance serves one client after another', (t) => {
  using poll = newPoll();
  const { name, server, client: first } = pair(poll);
  for (let client = first, session = 0; ; client = join(poll, name), session++) {
    client.write(text(`client ${session}`));
    t.is(readExactly(poll, server, 8).toString(), `client ${session}`);
    server.write(text(`server ${session}`));
    t.is(readExactly(poll, client, 8).toString(), `server ${session}`);
    client.close();
    expectEvents(poll, { token: SERVER, readClosed: true });
    if (session === 4) break;
    server.disconnect();
    t.is(server.write(text('to nobody')), null);
    t.is(server.read(Buffer.alloc(1)), null);
    server.reconnect();
  }
  server.close();
});

windows('while it is disconnected an instance serves nobody', (t) => {
  using poll = newPoll();
  const { name, server, client } = pair(poll, { maxInstances: 1 });
  server.disconnect();
  expectEvents(poll, { token: CLIENT, readClosed: true });
  client.close();
  t.throws(() => NamedPipe.connect(name), { code: 'EBUSY' });
  server.disconnect();
  server.reconnect();
  server.reconnect();
  join(poll, name).close();
  server.close();
});

windows('nothing of a session is met in the next: not data, leases, ends, errors or writes', (t) => {
  using poll = newPoll();
  const { name, server, client } = pair(poll);
  client.write(text('leased, '));
  expectEvents(poll, { token: SERVER, readable: true });
  const lease = server.take();
  client.write(text('unread'));
  expectEvents(poll, { token: SERVER, readable: true });
  // More than the pipe holds, so that some of it stays with us.
  while (server.write(pattern(16_384)) !== null);
  client.close();
  expectEvents(poll, { token: SERVER, readClosed: true });
  server.disconnect();
  server.reconnect();
  t.throws(() => lease?.bytes, { code: 'ERR_SIDEPORT_LEASE_RELEASED' });
  t.is(server.read(Buffer.alloc(1)), null);
  t.is(server.takeError(), null);
  const next = connectSoon(poll, name);
  poll.registry.register(next, CLIENT, BOTH);
  const seen = expectEvents(poll, { token: SERVER, writable: true }, { token: CLIENT, writable: true });
  t.false(seen.some(({ readable, error, readClosed }) => readable || error || readClosed));
  next.write(text('news'));
  t.is(readExactly(poll, server, 4).toString(), 'news');
  t.is(server.read(Buffer.alloc(1)), null);
  t.is(server.write(text('answer')), 6);
  t.is(readExactly(poll, next, 6).toString(), 'answer');
  t.is(next.read(Buffer.alloc(1)), null);
  next.close();
  server.close();
});

windows('sessions ended in the midst of traffic leave nothing to the next', (t) => {
  using poll = newPoll();
  const name = newName();
  using server = NamedPipe.create(name);
  poll.registry.register(server, SERVER, BOTH);
  const events = new Events();
  const into = Buffer.alloc(1024);
  for (let session = 0; session < 20; session++) {
    const client = connectSoon(poll, name);
    poll.registry.register(client, CLIENT, BOTH);
    while (client.write(Buffer.alloc(3000, session)) === null || server.write(into) === null) poll.poll(events, 1000);
    for (let round = 0; round < session % 5; round++) {
      client.write(Buffer.alloc(3000, session));
      server.write(into);
      poll.poll(events, 1);
      const count = server.read(into);
      if (count !== null) t.true(into.subarray(0, count).every((byte) => byte === session));
    }
    server.disconnect();
    server.reconnect();
    client.abort();
  }
  server.disconnect();
});

windows('an instance that waits can be disconnected, and waits anew', (t) => {
  using poll = newPoll();
  const name = newName();
  const server = NamedPipe.create(name);
  poll.registry.register(server, SERVER, BOTH);
  for (let round = 0; round < 5; round++) {
    server.disconnect();
    server.reconnect();
  }
  // Whoever came while it still waited the time before was let go of again.
  const events = new Events();
  let client = connectSoon(poll, name);
  for (poll.registry.register(client, CLIENT, BOTH); server.write(text('hello')) === null; ) {
    poll.poll(events, 1000);
    if (!client.takeError()) continue;
    client.close();
    client = connectSoon(poll, name);
    poll.registry.register(client, CLIENT, BOTH);
  }
  t.is(readExactly(poll, client, 5).toString(), 'hello');
  client.close();
  server.close();
});

windows('only a server’s end has sessions', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll);
  t.throws(() => client.disconnect(), { code: 'ERR_SIDEPORT_UNSUPPORTED' });
  t.throws(() => client.reconnect(), { code: 'ERR_SIDEPORT_UNSUPPORTED' });
  client.close();
  server.close();
  t.throws(() => server.disconnect(), { code: 'ERR_SIDEPORT_CLOSED' });
  t.throws(() => server.reconnect(), { code: 'ERR_SIDEPORT_CLOSED' });
});

windows('several instances serve several clients at once, each its own', (t) => {
  using poll = newPoll();
  const name = newName();
  const count = 4;
  const servers = Array.from({ length: count }, () => NamedPipe.create(name, { maxInstances: count }));
  for (const server of servers) poll.registry.register(server, SERVER, BOTH);
  const busy = t.throws(() => NamedPipe.create(name, { maxInstances: count })) as SystemError;
  t.deepEqual([busy.code, busy.address], ['EBUSY', name]);
  const clients = servers.map(() => connectSoon(poll, name));
  t.throws(() => NamedPipe.connect(name), { code: 'EBUSY' });
  clients.forEach((client, at) => {
    poll.registry.register(client, CLIENT, BOTH);
    writeAll(poll, client, text(`${at}`));
  });
  const heard = servers.map((server) => {
    const [byte] = readExactly(poll, server, 1);
    server.write(Buffer.from([byte as number, byte as number]));
    return byte;
  });
  t.is(new Set(heard).size, count);
  clients.forEach((client, at) => {
    t.is(readExactly(poll, client, 2).toString(), `${at}${at}`);
  });
  for (const pipe of [...clients, ...servers]) pipe.close();
});
