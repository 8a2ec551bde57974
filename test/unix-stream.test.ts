import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  Events,
  Interest,
  Poll,
  PollOpt,
  type SystemError,
  UnixDatagram,
  UnixListener,
  UnixStream,
} from '../src/index.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows, unless } from './util/platform.js';
import { BOTH, readExactly, readToEnd, writeAll } from './util/streams.js';

const posix = unless(onWindows, 'Windows has no Unix-domain sockets');

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });
const text = (string: string) => Buffer.from(string);
const folder = mkdtempSync(join(tmpdir(), 'sideport-unix-'));
test.after.always('the sockets’ folder is removed', () => rmSync(folder, { recursive: true, force: true }));
let names = 0;
const newPath = () => join(folder, `${names++}.sock`);
const newAbstract = () => `\0sideport-test-${process.pid}-${Date.now()}-${names++}`;

for (const [kind, newName] of [
  ['a path', newPath],
  ['an abstract name', newAbstract],
] as const) {
  const onlyOnLinux = kind === 'a path' ? posix : unless(process.platform !== 'linux', 'only Linux has abstract names');

  onlyOnLinux(`streams connect to ${kind}, and bytes go both ways`, (t) => {
    const name = newName();
    using poll = newPoll();
    using listener = UnixListener.bind(name);
    t.is(listener.localName(), name);
    poll.registry.register(listener, 0, Interest.READABLE);
    using client = UnixStream.connect(name);
    t.is(client.peerName(), name);
    t.is(client.localName(), undefined);
    t.is(client.write(text('early')), null, 'nothing is ready unless registered');
    poll.registry.register(client, 1, BOTH);
    expectEvents(poll, { token: 0, readable: true }, { token: 1, writable: true });
    const accepted = listener.accept();
    const server = accepted?.stream as UnixStream;
    t.is(accepted?.peer, undefined);
    poll.registry.register(server, 2, BOTH);
    const bytes = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, at) => at % 249));
    writeAll(poll, client, bytes);
    t.true(readExactly(poll, server, bytes.length).equals(bytes));
    t.is(server.write(text('answer')), 6);
    server.close();
    t.is(readToEnd(poll, client).toString(), 'answer');
  });
}

posix('the file of a listener goes with it, as node:net’s does', (t) => {
  const path = newPath();
  const listener = UnixListener.bind(path);
  t.true(existsSync(path));
  t.throws(() => UnixListener.bind(path), { code: 'EADDRINUSE' });
  t.true(existsSync(path), 'a bind that fails removes nothing');
  listener.close();
  t.false(existsSync(path));
  listener.close();
});

posix('that nobody listens is thrown by connect', (t) => {
  const path = newPath();
  const missing = t.throws(() => UnixStream.connect(path)) as SystemError;
  t.deepEqual([missing.code, missing.syscall, missing.address], ['ENOENT', 'connect', path]);
  const datagram = UnixDatagram.bind(path);
  const wrongType = t.throws(() => UnixStream.connect(path)) as SystemError;
  t.regex(wrongType.code, /^(EPROTOTYPE|ECONNREFUSED)$/);
  datagram.close();
});

posix('names that are none are refused', (t) => {
  for (const name of ['', 'x'.repeat(108), 'a\0b', 5 as unknown as string]) {
    t.throws(() => UnixListener.bind(name), { code: 'ERR_SIDEPORT_INVALID_ARG' });
    t.throws(() => UnixStream.connect(name), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  for (const backlog of [0, 1.5]) {
    t.throws(() => UnixListener.bind(newPath(), { backlog }), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  t.throws(() => UnixListener.bind('/nowhere/at/all'), { code: 'ENOENT' });
});

posix('a pair is connected; each end hears of the other’s close', (t) => {
  using poll = newPoll();
  const [a, b] = UnixStream.pair();
  poll.registry.register(a, 1, BOTH);
  poll.registry.register(b, 2, BOTH);
  expectEvents(poll, { token: 1, writable: true }, { token: 2, writable: true });
  t.is(a.write(text('to b')), 4);
  t.is(readExactly(poll, b, 4).toString(), 'to b');
  a.shutdown('write');
  expectEvents(poll, { token: 2, readClosed: true });
  t.is(b.write(text('half-closed')), 11);
  t.is(readExactly(poll, a, 11).toString(), 'half-closed');
  b.close();
  expectEvents(poll, { token: 1, readClosed: true });
  t.is(a.read(Buffer.alloc(1)), 0);
  a.close();
});

posix('bytes left unread at a close reset a Unix stream, too', (t) => {
  using poll = newPoll();
  const [a, b] = UnixStream.pair();
  poll.registry.register(a, 1, BOTH);
  t.is(a.write(text('unread')), 6);
  b.close();
  expectEvents(poll, { token: 1, readClosed: true });
  a.close();
});

posix('a node:net server and a node:net client are spoken to', async (t) => {
  const path = newPath();
  const server = createServer((socket) => socket.pipe(socket)).listen(path);
  await once(server, 'listening');
  using poll = newPoll();
  const stream = UnixStream.connect(path);
  poll.registry.register(stream, 1, BOTH, PollOpt.LEVEL);
  stream.write(text('echo me'));
  stream.shutdown('write');
  const events = new Events();
  const into = Buffer.alloc(16);
  let answer = '';
  for (let count: number | null = null; count !== 0; count = stream.read(into)) {
    if (count === null) await poll.wait(events, 10_000);
    else answer += into.toString('latin1', 0, count);
  }
  t.is(answer, 'echo me');
  stream.close();
  await new Promise((resolve) => server.close(resolve));
  using listener = UnixListener.bind(path);
  poll.registry.register(listener, 2, Interest.READABLE, PollOpt.LEVEL);
  const client = createConnection(path);
  client.write('from node');
  let served: UnixStream | undefined;
  for (; !served; served = listener.accept()?.stream) await poll.wait(events, 10_000);
  poll.registry.register(served, 3, Interest.READABLE);
  while (served.read(into) === null) await poll.wait(events, 10_000);
  t.is(into.toString('latin1', 0, 9), 'from node');
  served.close();
  await once(client, 'close');
});

posix('the standard streams of a child process are sources by way of a pair', async (t) => {
  using poll = newPoll();
  const [ours, theirs] = UnixStream.pair();
  const child = spawn('sort', { stdio: [theirs.fd, theirs.fd, 'inherit'] });
  theirs.close();
  const exited = once(child, 'exit');
  poll.registry.register(ours, 1, BOTH);
  expectEvents(poll, { token: 1, writable: true });
  ours.write(text('pear\napple\nfig\n'));
  ours.shutdown('write');
  t.is(readToEnd(poll, ours).toString(), 'apple\nfig\npear\n');
  ours.close();
  t.is((await exited)[0], 0);
});

posix('edge, level and oneshot on a Unix stream', (t) => {
  using poll = newPoll();
  const [a, b] = UnixStream.pair();
  poll.registry.register(b, 2, Interest.READABLE, PollOpt.LEVEL);
  poll.registry.register(a, 1, Interest.WRITABLE);
  expectEvents(poll, { token: 1, writable: true });
  a.write(text('stays'));
  for (let time = 0; time < 3; time++) expectEvents(poll, { token: 2, readable: true });
  poll.registry.reregister(b, 3, Interest.READABLE, PollOpt.ONESHOT);
  expectEvents(poll, { token: 3, readable: true });
  t.is(poll.poll(new Events(), 0), 0);
  a.close();
  b.close();
});
