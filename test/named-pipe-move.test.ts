import { closeSync, openSync, writeSync } from 'node:fs';
import test from 'ava';
import { Events, Interest, NamedPipe, Poll, type SystemError, TcpStream } from '../src/index.js';
import { loadAddon } from '../src/native.js';
import type { HeirData } from './fixtures/heir.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { CLIENT, connectSoon, newName, pair, readMessage, SERVER, windows } from './util/pipes.js';
import { BOTH, readExactly, readToEnd, writeAll } from './util/streams.js';
import { TestThread } from './util/thread.js';

// Small buffers, so that what is in flight is many; the high-water mark is well above the 64 KiB that a pipe holds.
const ioThread = ioThreadFor(test, {
  receiveBufferSize: 4096,
  sendBufferSize: 16_384,
  sendHighWaterBytes: 262_144,
  transferTimeoutMs: 30_000,
});
const hasty = ioThreadFor(test, { transferTimeoutMs: 1 });

const MOVED = 3;
const newPoll = () => new Poll({ ioThread });
const text = (string: string) => Buffer.from(string);
const pattern = new Pattern(6, 2 ** 24);

/** As another thread would: through a structured clone, and registered again. */
function move(poll: Poll, pipe: NamedPipe, token = MOVED): NamedPipe {
  const moved = NamedPipe.attach(structuredClone(pipe.detach()));
  poll.registry.register(moved, token, BOTH);
  return moved;
}

/** What is to be told now is told. */
function settle(poll: Poll): void {
  const events = new Events();
  while (poll.poll(events, 20) > 0);
}

windows('both ends of a pipe move in mid-stream, flooded: no byte is lost, doubled or reordered', (t) => {
  using poll = newPoll();
  let { server, client } = pair(poll);
  const events = new Events();
  const into = Buffer.alloc(25_000);
  let [sent, received, written, read] = [0, 0, 0, 0];
  for (let turn = 0; turn < 60; turn++) {
    sent += client.write(pattern.at(sent, 30_000)) ?? 0;
    written += server.write(pattern.at(written, 20_000)) ?? 0;
    if (turn % 3 > 0) poll.poll(events, turn % 3 === 1 ? 0 : 5);
    const count = server.read(into);
    if (count !== null) t.true(pattern.matches(received, into.subarray(0, count)));
    received += count ?? 0;
    const back = client.read(into);
    if (back !== null) t.true(pattern.matches(read, into.subarray(0, back)));
    read += back ?? 0;
    if (turn & 1) server = move(poll, server, SERVER);
    if (turn & 2) client = move(poll, client, CLIENT);
  }
  t.true(sent > 100_000 && written > 100_000, `${sent} and ${written} bytes went`);
  t.true(pattern.matches(received, readExactly(poll, server, sent - received)));
  t.true(pattern.matches(read, readExactly(poll, client, written - read)));
  client.close();
  server.close();
});

windows('accepted writes go before those of the next owner, and are read after the last one’s close', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll);
  let writer = server;
  let written = 0;
  for (let owner = 0; owner < 5; owner++) {
    written += writer.write(pattern.at(written, 30_000)) ?? 0;
    poll.poll(new Events(), 0);
    writer = move(poll, writer);
  }
  t.true(written > 60_000);
  writer.close();
  const got = readToEnd(poll, client);
  t.is(got.length, written);
  t.true(pattern.matches(0, got));
  client.close();
});

windows('messages keep their bounds, and one that was read in part is read on', (t) => {
  using poll = newPoll();
  let { server, client } = pair(poll, { mode: 'message' });
  // Shorter than what a receive buffer holds, and longer: with one read, in several, in several buffers.
  const lengths = [1, 700, 4096, 4097, 9000, 16_384, 3, 12_288, 5];
  const got: Buffer[] = [];
  let next = 0;
  for (let turn = 0; got.length < lengths.length; turn++) {
    while (next < lengths.length && client.write(pattern.at(next, lengths[next] as number)) !== null) next++;
    const parts: Buffer[] = [];
    do {
      parts.push(readMessage(poll, server, Buffer.alloc([600, 4096, 20_000][turn % 3] as number)));
      const { midMessage } = server;
      if (turn % 4 > 0) settle(poll);
      server = move(poll, server, SERVER);
      t.is(server.midMessage, midMessage);
    } while (server.midMessage);
    if (turn & 1) client = move(poll, client, CLIENT);
    got.push(Buffer.concat(parts));
  }
  for (const [at, length] of lengths.entries()) {
    t.is(got[at]?.length, length);
    t.true(pattern.matches(at, got[at] as Buffer));
  }
  client.close();
  server.close();
});

windows('messages that come while nobody has the pipe keep their bounds as well', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll, { mode: 'message' });
  const events = new Events();
  client.write(pattern.at(0, 10_000));
  client.write(text('short'));
  poll.poll(events, 0);
  const name = server.detach();
  client.write(pattern.at(1, 6000));
  settle(poll);
  const moved = NamedPipe.attach(name);
  poll.registry.register(moved, MOVED, BOTH);
  const message = () => {
    const parts: Buffer[] = [];
    do parts.push(readMessage(poll, moved, Buffer.alloc(20_000)));
    while (moved.midMessage);
    return Buffer.concat(parts);
  };
  t.true(message().equals(pattern.at(0, 10_000)));
  t.is(message().toString(), 'short');
  t.true(message().equals(pattern.at(1, 6000)));
  t.is(moved.write(text('one')), 3);
  t.is(moved.write(text('two')), 3);
  t.throws(() => moved.write(Buffer.alloc(16_385)), { code: 'EMSGSIZE' });
  t.is(readMessage(poll, client, Buffer.alloc(100)).toString(), 'one');
  t.is(readMessage(poll, client, Buffer.alloc(100)).toString(), 'two');
  client.close();
  moved.close();
});

windows('an instance that waits for its client moves: who comes is the next owner’s, whenever it comes', (t) => {
  for (const comes of ['detached', 'before it attaches', 'after']) {
    for (const registered of [true, false]) {
      using poll = newPoll();
      const path = newName();
      const server = NamedPipe.create(path);
      if (registered) poll.registry.register(server, SERVER, BOTH);
      let client: NamedPipe | undefined;
      if (comes === 'detached' && registered) client = connectSoon(poll, path);
      const name = server.detach(ioThread);
      if (comes === 'before it attaches') client = connectSoon(poll, path);
      const moved = NamedPipe.attach(name);
      t.true(moved.isServer);
      poll.registry.register(moved, MOVED, BOTH);
      client ??= connectSoon(poll, path);
      poll.registry.register(client, CLIENT, BOTH);
      expectEvents(poll, { token: MOVED, writable: true }, { token: CLIENT, writable: true });
      moved.write(text('hello'));
      t.is(readExactly(poll, client, 5).toString(), 'hello');
      client.close();
      moved.close();
    }
  }
});

windows('the end of a session goes along, seen and not yet seen; the next owner serves the next client', (t) => {
  for (const see of [true, false]) {
    using poll = newPoll();
    const { name, server, client } = pair(poll);
    client.write(text('last words'));
    client.close();
    if (see) expectEvents(poll, { token: SERVER, readClosed: true });
    const moved = move(poll, server);
    t.is(readToEnd(poll, moved).toString(), 'last words');
    moved.disconnect();
    moved.reconnect();
    serveNext(t, poll, moved, name);
    moved.close();
  }
});

windows('an instance that disconnects moves: the next owner reconnects, or what was asked before is done', (t) => {
  // Before the I/O thread has heard of it, after, and when its owner has.
  for (const heard of ['nothing', 'told', 'seen']) {
    for (const asks of ['before', 'after'] as const) {
      using poll = newPoll();
      const { name, server, client } = pair(poll);
      writeAll(poll, client, pattern.at(0, 20_000));
      server.write(text('dropped'));
      server.disconnect();
      if (asks === 'before') server.reconnect();
      if (heard === 'told') expectEvents(poll, { token: CLIENT, readClosed: true });
      if (heard === 'seen') settle(poll);
      const moved = move(poll, move(poll, server));
      t.is(moved.read(Buffer.alloc(1)), null);
      t.is(moved.write(text('to nobody')), null);
      if (asks === 'after') moved.reconnect();
      client.abort();
      serveNext(t, poll, moved, name);
      moved.close();
    }
  }
});

windows('a new owner that disconnects at once has nothing of the old session in the next', async (t) => {
  // In transit; when it has arrived, and what came late is told and not heard of; when that is.
  for (const how of ['in transit', 'told', 'heard']) {
    using poll = newPoll();
    const { name, server, client } = pair(poll);
    while (server.write(pattern.at(0, 16_384)) !== null);
    for (let sent = 0; sent < 60_000; ) sent += client.write(pattern.at(sent, 16_384)) ?? poll.poll(new Events(), 1);
    const moving = server.detach();
    if (how !== 'in transit') settle(poll);
    const moved = NamedPipe.attach(moving);
    poll.registry.register(moved, MOVED, BOTH);
    if (how === 'told') await ioThread.stats();
    if (how === 'heard') expectEvents(poll, { token: MOVED, readable: true });
    moved.disconnect();
    moved.reconnect();
    client.abort();
    serveNext(t, poll, moved, name);
    moved.close();
  }
});

windows(
  'what comes while a pipe changes owners is dropped when the new one disconnects before it hears of it',
  async (t) => {
    // Whether it comes in between is the I/O thread's pace: in most rounds it does.
    for (let round = 0; round < 10; round++) {
      using poll = newPoll();
      const name = newName();
      const server = NamedPipe.create(name);
      poll.registry.register(server, SERVER, BOTH);
      const fd = openSync(name, 'r+');
      expectEvents(poll, { token: SERVER, writable: true });
      writeSync(fd, text('late'));
      const moved = move(poll, server);
      await ioThread.stats();
      moved.disconnect();
      moved.reconnect();
      closeSync(fd);
      serveNext(t, poll, moved, name);
      moved.close();
    }
  },
);

/** Serves the next client, which meets nothing of what was before. */
function serveNext(t: { is(a: unknown, b: unknown): unknown }, poll: Poll, server: NamedPipe, name: string): void {
  const next = connectSoon(poll, name);
  poll.registry.register(next, CLIENT, BOTH);
  while (server.write(text('next')) === null) if (poll.poll(new Events(), 10_000) === 0) throw new Error('nobody came');
  t.is(readExactly(poll, next, 4).toString(), 'next');
  writeAll(poll, next, text('news'));
  t.is(readExactly(poll, server, 4).toString(), 'news');
  t.is(server.takeError(), null);
  next.close();
}

windows('a write that fails after the move is an error of the new owner', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll);
  // It receives nothing, so that most of what is written stays.
  poll.registry.reregister(client, CLIENT, Interest.WRITABLE);
  while (server.write(pattern.at(0, 16_384)) !== null);
  using moved = NamedPipe.attach(server.detach());
  poll.registry.register(moved, MOVED, Interest.WRITABLE);
  client.abort();
  expectEvents(poll, { token: MOVED, error: true, writeClosed: true });
  t.like(moved.takeError() as SystemError, { code: 'EPIPE', syscall: 'write' });
});

windows("a pipe's name is good for one attach, of its own kind; with a lease held there is none", (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll);
  writeAll(poll, client, text('lent'));
  expectEvents(poll, { token: SERVER, readable: true });
  const lease = server.take();
  t.throws(() => server.detach(), { code: 'ERR_SIDEPORT_LEASE_HELD' });
  t.throws(() => poll.detach(), { code: 'ERR_SIDEPORT_LEASE_HELD' });
  lease?.release();
  t.throws(() => server.detach(hasty), { code: 'ERR_SIDEPORT_OTHER_IO_THREAD' });
  const name = server.detach();
  t.true(server.closed);
  t.throws(() => TcpStream.attach(name as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  using moved = NamedPipe.attach(name);
  for (const again of [name, structuredClone(name)])
    t.throws(() => NamedPipe.attach(again), { code: 'ERR_SIDEPORT_TRANSFER_USED' });
  poll.registry.register(moved, MOVED, BOTH);
  writeAll(poll, client, text('mine'));
  t.is(readExactly(poll, moved, 4).toString(), 'mine');
  client.close();
});

windows('a pipe that nobody attaches in time is closed, and what was written can be read', (t) => {
  using poll = new Poll({ ioThread: hasty });
  const { server, client } = pair(poll);
  writeAll(poll, server, text('last words'));
  const name = server.detach();
  // The end of the session: by then the name has expired.
  t.is(readToEnd(poll, client).toString(), 'last words');
  t.throws(() => NamedPipe.attach(name), { code: 'ERR_SIDEPORT_TRANSFER_EXPIRED' });
  client.close();
});

windows('a Poll that moves takes its pipes along: one that waits, one in a session, one that has left it', (t) => {
  using poll = newPoll();
  const moving = newPoll();
  const [WAITS, SERVES, LEFT] = [10, 11, 12];
  const names = [newName(), newName(), newName()] as const;
  const servers = names.map((name) => NamedPipe.create(name));
  for (const [at, server] of servers.entries()) moving.registry.register(server, WAITS + at, BOTH);
  const [, serves, left] = names.map((name, at) => (at > 0 ? connectSoon(moving, name) : undefined));
  const [client, other] = [serves as NamedPipe, left as NamedPipe];
  poll.registry.register(client, CLIENT, BOTH);
  poll.registry.register(other, MOVED, BOTH);
  writeAll(poll, client, pattern.at(0, 20_000));
  while (servers[2]?.write(text('x')) === null) moving.poll(new Events(), 1000);
  servers[2]?.disconnect();
  servers[2]?.reconnect();
  const { poll: mine, sources } = Poll.attach(structuredClone(moving.detach()));
  const pipes = new Map(sources);
  const at = (token: number) => pipes.get(token) as NamedPipe;
  t.true(pattern.matches(0, readExactly(mine, at(SERVES), 20_000)));
  other.abort();
  for (const [token, name] of [
    [WAITS, names[0]],
    [LEFT, names[2]],
  ] as const) {
    const next = connectSoon(mine, name);
    mine.registry.register(next, 20, BOTH);
    writeAll(mine, next, text('found'));
    t.is(readExactly(mine, at(token), 5).toString(), 'found');
    next.close();
  }
  for (const pipe of pipes.values()) pipe.close();
  client.close();
  mine.close();
});

windows('a pipe goes on in another thread', async (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll);
  writeAll(poll, client, pattern.at(0, 20_000));
  const data: HeirData = { ioThread: ioThread.share(), name: server.detach(), length: 50_000 };
  const heir = new TestThread<number>('heir', data);
  const rest = pattern.at(20_000, 30_000);
  for (let at = 0; at < rest.length; ) {
    const count = client.write(rest.subarray(at));
    if (count === null) await poll.wait(new Events(), 10_000);
    else at += count;
  }
  client.close();
  t.is(await heir.finish(), 50_000);
});

windows('pipes that move and close at any moment leave no handle', async (t) => {
  const { countDescriptors } = loadAddon();
  const before = countDescriptors();
  for (let round = 0; round < 32; round++) {
    using poll = newPoll();
    const { server, client } = pair(poll);
    if (round & 1) server.write(Buffer.alloc(16_384));
    if (round & 2) poll.poll(new Events(), 5);
    if (round & 16) server.disconnect();
    const moved = NamedPipe.attach(server.detach());
    const other = NamedPipe.attach(client.detach());
    if (round & 4) poll.registry.register(moved, SERVER, BOTH);
    if (round & 8) moved.close();
    else moved.abort();
    other.abort();
  }
  for (const untilMs = performance.now() + 5000; countDescriptors() > before && performance.now() < untilMs; )
    await new Promise((resolve) => setTimeout(resolve, 10));
  t.true(countDescriptors() <= before);
});
