import { once } from 'node:events';
import { connect as connectSocket, createServer } from 'node:net';
import test from 'ava';
import { Events, Interest, NamedPipe, Poll, PollOpt, type SystemError } from '../src/index.js';
import { loadAddon } from '../src/native.js';
import type { PipeEndData } from './fixtures/pipe-end.js';
import { expectEvents } from './util/expect-events.js';
import { openHandle, openPipeServer } from './util/handles.js';
import { ioThreadFor, quiet } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { CLIENT, join, newName, pair, readMessage, SERVER, windows } from './util/pipes.js';
import { onWindows, underWine, unless } from './util/platform.js';
import { BOTH, readExactly, readToEnd, writeAll } from './util/streams.js';
import { Barrier, TestThread } from './util/thread.js';

const posix = unless(onWindows, 'Windows has named pipes');

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });
const text = (string: string) => Buffer.from(string);
const bytesOf = new Pattern(7, 100_000);
const pattern = (length: number) => bytesOf.at(0, length);

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

windows('an instance that is open to other machines serves this one, too', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll, { remoteClients: true });
  writeAll(poll, client, text('from here'));
  t.is(readExactly(poll, server, 9).toString(), 'from here');
  client.close();
  server.close();
});

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
