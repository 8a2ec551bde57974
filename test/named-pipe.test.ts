import { once } from 'node:events';
import { connect as connectSocket, createServer } from 'node:net';
import test from 'ava';
import {
  Events,
  Interest,
  NamedPipe,
  type NamedPipeOptions,
  type PipeMode,
  Poll,
  PollOpt,
  type SystemError,
} from '../src/index.js';
import { loadAddon } from '../src/native.js';
import type { PipeEndData } from './fixtures/pipe-end.js';
import { expectEvents } from './util/expect-events.js';
import { openHandle, openPipeServer } from './util/handles.js';
import { ioThreadFor, quiet } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { onWindows, underWine, unless } from './util/platform.js';
import { BOTH, readExactly, readToEnd, writeAll } from './util/streams.js';
import { Barrier, TestThread } from './util/thread.js';

const windows = unless(!onWindows, 'only Windows has named pipes');
const posix = unless(onWindows, 'Windows has named pipes');

// Small ones, so that messages need several.
const ioThread = ioThreadFor(test, { receiveBufferSize: 4096, sendBufferSize: 16_384, sendHighWaterBytes: 65_536 });
const newPoll = () => new Poll({ ioThread });
const text = (string: string) => Buffer.from(string);
const bytesOf = new Pattern(7, 300_000);
const pattern = (length: number) => bytesOf.at(0, length);
let names = 0;
const newName = () => `\\\\.\\pipe\\sideport-test-${process.pid}-${names++}`;

const SERVER = 1;
const CLIENT = 2;

/** Both ends of a pipe on one Poll, connected. */
function pair(poll: Poll, options: NamedPipeOptions = {}): { name: string; server: NamedPipe; client: NamedPipe } {
  const name = newName();
  const server = NamedPipe.create(name, options);
  poll.registry.register(server, SERVER, BOTH);
  return { name, server, client: join(poll, name, options) };
}

/** A client for the instance that waits, or is about to; both are told. */
function join(poll: Poll, name: string, { mode }: NamedPipeOptions = {}): NamedPipe {
  const client = connectSoon(poll, name, mode ? { mode } : {});
  poll.registry.register(client, CLIENT, BOTH);
  expectEvents(poll, { token: SERVER, writable: true }, { token: CLIENT, writable: true });
  return client;
}

/** A client for an instance that the I/O thread has not had wait yet, perhaps. What is told meanwhile is dropped. */
function connectSoon(poll: Poll, name: string, options: { mode?: PipeMode } = {}): NamedPipe {
  const events = new Events();
  for (const untilMs = performance.now() + 10_000; ; ) {
    try {
      return NamedPipe.connect(name, options);
    } catch (error) {
      if ((error as SystemError).code !== 'EBUSY' || performance.now() > untilMs) throw error;
      poll.poll(events, 5);
    }
  }
}

/** The next message, or part of one. */
function readMessage(poll: Poll, pipe: NamedPipe, into: Uint8Array): Buffer {
  const events = new Events();
  for (;;) {
    const count = pipe.read(into);
    if (count !== null) return Buffer.from(into.subarray(0, count));
    if (poll.poll(events, 10_000) === 0) throw new Error('no message came');
  }
}

posix('where there are no named pipes every way to one throws a coded error, at the call', (t) => {
  const unsupported = { code: 'ERR_SIDEPORT_UNSUPPORTED', message: 'This system has no named pipes' };
  t.throws(() => NamedPipe.create(newName()), unsupported);
  t.throws(() => NamedPipe.connect(newName()), unsupported);
  t.throws(() => NamedPipe.fromDescriptor(0), unsupported);
});

test('names, modes and numbers of instances that are none are refused', (t) => {
  const refused = { code: 'ERR_SIDEPORT_INVALID_ARG' };
  for (const name of ['', 'pipe', '\\\\.\\pipe\\', '/tmp/pipe', `\\\\.\\pipe\\${'x'.repeat(256)}`, 5 as never]) {
    t.throws(() => NamedPipe.create(name), refused);
    t.throws(() => NamedPipe.connect(name), refused);
  }
  t.throws(() => NamedPipe.create(newName(), { mode: 'bytes' as never }), refused);
  t.throws(() => NamedPipe.connect(newName(), { mode: 'messages' as never }), refused);
  for (const maxInstances of [0, 256, 1.5]) t.throws(() => NamedPipe.create(newName(), { maxInstances }), refused);
  t.throws(() => NamedPipe.fromDescriptor(-1), refused);
});

windows('an instance is writable once a client is there; bytes go both ways', (t) => {
  using poll = newPoll();
  const name = newName();
  using server = NamedPipe.create(name);
  t.true(server.isServer);
  t.is(server.write(text('early')), null);
  poll.registry.register(server, SERVER, BOTH);
  t.is(poll.poll(new Events(), 20), 0, 'nobody is there');
  t.is(server.read(Buffer.alloc(1)), null);
  using client = join(poll, name);
  t.false(client.isServer);
  const bytes = pattern(100_000);
  writeAll(poll, client, bytes);
  t.true(readExactly(poll, server, bytes.length).equals(bytes));
  writeAll(poll, server, bytes);
  t.true(readExactly(poll, client, bytes.length).equals(bytes));
  t.false(server.midMessage);
});

windows('a client that came, wrote and went before anybody waited is served', (t) => {
  using poll = newPoll();
  const name = newName();
  using server = NamedPipe.create(name);
  const client = NamedPipe.connect(name);
  using other = newPoll();
  other.registry.register(client, CLIENT, BOTH);
  expectEvents(other, { token: CLIENT, writable: true });
  client.write(text('was here'));
  client.close();
  poll.registry.register(server, SERVER, BOTH);
  t.is(readToEnd(poll, server).toString(), 'was here');
});

windows('what was written before a close is read, then the end; writing meets EPIPE', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll);
  const bytes = pattern(100_000);
  writeAll(poll, client, bytes);
  client.close();
  t.true(readToEnd(poll, server).equals(bytes));
  t.is(server.read(Buffer.alloc(1)), 0);
  const events = new Events();
  const error = t.throws(() => {
    for (let round = 0; round < 100; round++) {
      server.write(text('into the void'));
      poll.poll(events, 10);
    }
  }) as SystemError;
  t.deepEqual([error.code, error.syscall], ['EPIPE', 'write']);
  server.close();
});

windows('pipes have no half-close; reading can be given up', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll);
  for (const how of ['write', 'both'] as const) {
    t.throws(() => client.shutdown(how), { code: 'ERR_SIDEPORT_UNSUPPORTED' });
  }
  client.shutdown('read');
  t.is(client.read(Buffer.alloc(1)), 0);
  t.is(client.write(text('still')), 5);
  t.is(readExactly(poll, server, 5).toString(), 'still');
  client.close();
  server.close();
});

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

windows('messages stay apart, however they are read', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll, { mode: 'message' });
  for (const message of ['one', 'two', 'three', 'four', 'five']) t.is(client.write(text(message)), message.length);
  const into = Buffer.alloc(100);
  t.is(readMessage(poll, server, into).toString(), 'one');
  t.false(server.midMessage);
  while (server.peek(into) === null) poll.poll(new Events(), 1000);
  t.is(server.peek(into), 3, 'peeking sees one message');
  t.is(readMessage(poll, server, into.subarray(0, 2)).toString(), 'tw');
  t.true(server.midMessage, 'the rest of it follows');
  t.is(readMessage(poll, server, into).toString(), 'o');
  t.false(server.midMessage);
  while (server.peek(into) === null) poll.poll(new Events(), 1000);
  t.is(server.readv([into.subarray(0, 2), into.subarray(2, 100)]), 5, 'a vectored read ends with the message');
  t.is(into.toString('latin1', 0, 5), 'three');
  let lease = server.take();
  for (const events = new Events(); !lease; lease = server.take()) poll.poll(events, 1000);
  t.is(Buffer.from(lease.copy()).toString(), 'four');
  lease.release();
  t.is(readMessage(poll, server, into.subarray(0, 4)).toString(), 'five');
  t.false(server.midMessage, 'read to its last byte');
  client.close();
  server.close();
});

windows('a message longer than a receive buffer comes in parts, and is told where it ends', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll, { mode: 'message' });
  const long = pattern(16_384);
  t.is(client.write(long), long.length);
  t.is(client.write(text('short')), 5);
  const into = Buffer.alloc(20_000);
  const parts: Buffer[] = [];
  do parts.push(readMessage(poll, server, into));
  while (server.midMessage);
  t.true(Buffer.concat(parts).equals(long));
  t.is(readMessage(poll, server, into).toString(), 'short');
  t.is(server.write(long), long.length);
  const leased: Uint8Array[] = [];
  do {
    const lease = client.take();
    if (lease) leased.push(lease.copy());
    else poll.poll(new Events(), 1000);
    lease?.release();
  } while (leased.length === 0 || client.midMessage);
  t.true(leased.length >= 4, 'a lease is one buffer’s worth');
  t.true(Buffer.concat(leased).equals(long));
  client.close();
  server.close();
});

windows('a message is taken whole or not at all', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll, { mode: 'message' });
  const tooLong = t.throws(() => client.write(Buffer.alloc(16_385))) as SystemError;
  t.deepEqual([tooLong.code, tooLong.syscall], ['EMSGSIZE', 'write']);
  t.is(client.write(Buffer.alloc(0)), 0, 'an empty message is none');
  let taken = 0;
  for (let count = client.write(Buffer.alloc(10_000, 0)); count !== null; ) {
    t.is(count, 10_000);
    count = client.write(Buffer.alloc(10_000, ++taken));
  }
  for (let at = 0; at < taken; at++) {
    const parts: Buffer[] = [];
    do parts.push(readMessage(poll, server, Buffer.alloc(10_000)));
    while (server.midMessage);
    t.true(Buffer.concat(parts).equals(Buffer.alloc(10_000, at)));
  }
  while (client.write(Buffer.alloc(10_000)) === null) poll.poll(new Events(), 1000);
  client.close();
  server.close();
});

windows('that there is no such pipe, or none of messages, is thrown by connect', (t) => {
  using poll = newPoll();
  const name = newName();
  const missing = t.throws(() => NamedPipe.connect(name)) as SystemError;
  t.deepEqual([missing.code, missing.syscall, missing.address], ['ENOENT', 'connect', name]);
  using server = NamedPipe.create(name);
  t.throws(() => NamedPipe.connect(name, { mode: 'message' }), { code: 'EINVAL' });
  poll.registry.register(server, SERVER, BOTH);
});

unless(!onWindows || underWine, 'Wine ignores FILE_FLAG_FIRST_PIPE_INSTANCE')(
  'the first instance can be asked for',
  (t) => {
    const name = newName();
    using first = NamedPipe.create(name, { first: true });
    t.true(first.isServer);
    t.throws(() => NamedPipe.create(name, { first: true }), { code: 'EPERM' });
  },
);

windows('abort drops what was written; what the client has not read is lost with it', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll);
  poll.registry.deregister(client);
  server.write(text('unread'));
  server.abort();
  poll.registry.register(client, CLIENT, BOTH);
  expectEvents(poll, { token: CLIENT, readClosed: true });
  t.throws(() => client.read(Buffer.alloc(10)), { code: 'EPIPE' });
  client.close();
});

windows('edge, level and oneshot on a pipe', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll);
  poll.registry.reregister(client, CLIENT, Interest.WRITABLE, PollOpt.EDGE);
  poll.registry.reregister(server, SERVER, Interest.READABLE, PollOpt.LEVEL);
  client.write(text('stays'));
  for (let time = 0; time < 3; time++) expectEvents(poll, { token: SERVER, readable: true });
  poll.registry.reregister(server, 3, Interest.READABLE, PollOpt.ONESHOT);
  expectEvents(poll, { token: 3, readable: true });
  t.is(poll.poll(new Events(), 0), 0);
  client.close();
  server.close();
});

windows('a node:net server and a node:net client are spoken to', async (t) => {
  const name = newName();
  const server = createServer((socket) => socket.pipe(socket)).listen(name);
  await once(server, 'listening');
  using poll = newPoll();
  const events = new Events();
  const client = NamedPipe.connect(name);
  poll.registry.register(client, CLIENT, BOTH);
  while (client.write(text('echo me')) === null) await poll.wait(events, 10_000);
  const into = Buffer.alloc(64);
  let answer = '';
  while (answer.length < 7) {
    const count = client.read(into);
    if (count === null) await poll.wait(events, 10_000);
    else answer += into.toString('latin1', 0, count);
  }
  t.is(answer, 'echo me');
  client.close();
  await new Promise((resolve) => server.close(resolve));
  const other = newName();
  using instance = NamedPipe.create(other);
  poll.registry.register(instance, SERVER, BOTH);
  const socket = connectSocket(other);
  socket.write('from node');
  let heard = '';
  while (heard.length < 9) {
    const count = instance.read(into);
    if (count === null) await poll.wait(events, 10_000);
    else heard += into.toString('latin1', 0, count);
  }
  t.is(heard, 'from node');
  instance.close();
  socket.resume();
  await once(socket, 'close');
});

windows('pipes opened elsewhere are adopted; what is none is refused, and stays as it was', (t) => {
  const { countDescriptors } = loadAddon();
  const name = newName();
  const before = countDescriptors();
  const serverHandle = openPipeServer(name, true);
  const clientHandle = openHandle(name, true);
  using poll = newPoll();
  const server = NamedPipe.fromDescriptor(serverHandle);
  const client = NamedPipe.fromDescriptor(clientHandle);
  t.deepEqual([server.isServer, client.isServer], [true, false]);
  poll.registry.register(server, SERVER, BOTH);
  poll.registry.register(client, CLIENT, BOTH);
  client.write(text('one'));
  client.write(text('two'));
  t.is(readMessage(poll, server, Buffer.alloc(10)).toString(), 'one');
  t.is(readMessage(poll, server, Buffer.alloc(10)).toString(), 'two');
  server.close();
  t.is(readToEnd(poll, client).length, 0);
  client.close();
  t.throws(() => NamedPipe.fromDescriptor(99_996), { code: 'EBADF' });
  t.true(countDescriptors() <= before + 2);
});

for (const end of ['server', 'client'] as const) {
  windows(`a thread that is terminated with a ${end}’s end closes it; what it wrote is read`, async (t) => {
    using poll = newPoll();
    const name = newName();
    const barrier = new Barrier();
    const mine = end === 'client' ? NamedPipe.create(name) : undefined;
    if (mine) poll.registry.register(mine, SERVER, BOTH);
    const data: PipeEndData = { ioThread: ioThread.share(), name, end, barrier: barrier.words };
    const thread = new TestThread('pipe-end', data);
    await barrier.reached(1);
    const pipe = mine ?? NamedPipe.connect(name);
    if (!mine) poll.registry.register(pipe, CLIENT, BOTH);
    await barrier.reached(2);
    await thread.worker.terminate();
    t.is(readToEnd(poll, pipe).toString(), 'written');
    pipe.close();
  });
}

windows('a thread that is terminated while its instance waits leaves nothing', async (t) => {
  const name = newName();
  const barrier = new Barrier();
  const data: PipeEndData = { ioThread: ioThread.share(), name, end: 'server', barrier: barrier.words };
  const thread = new TestThread('pipe-end', data);
  await barrier.reached(1);
  await thread.worker.terminate();
  await quiet(ioThread);
  t.throws(() => NamedPipe.connect(name), { code: 'ENOENT' });
});

windows('pipes closed at any moment leave neither an operation nor a handle', async (t) => {
  const { countDescriptors } = loadAddon();
  using poll = newPoll();
  poll.poll(new Events(), 0);
  const before = countDescriptors();
  for (let round = 0; round < 12; round++) {
    const name = newName();
    const server = NamedPipe.create(name);
    if (round % 4 > 0) poll.registry.register(server, SERVER, BOTH);
    if (round % 4 > 1) {
      const client = NamedPipe.connect(name);
      if (round % 4 > 2) {
        poll.registry.register(client, CLIENT, BOTH);
        writeAll(poll, client, pattern(30_000));
      }
      if (round % 2 > 0) client.abort();
      else client.close();
    }
    if (round % 3 > 0) server.abort();
    else server.close();
  }
  for (let count = countDescriptors(); count > before; count = countDescriptors()) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.is(countDescriptors(), before);
});
