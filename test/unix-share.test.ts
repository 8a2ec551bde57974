import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { Interest, Poll, TcpListener, TcpStream, UnixDatagram, UnixListener, UnixStream } from '../src/index.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows, unless } from './util/platform.js';
import { BOTH, listen, readExactly, readToEnd, writeAll } from './util/streams.js';

const posix = unless(onWindows, 'Windows has no Unix-domain sockets');
const onlyOnLinux = unless(process.platform !== 'linux', 'only Linux has abstract names');
const ioThread = ioThreadFor(test);
const folder = mkdtempSync(join(tmpdir(), 'sideport-unix-share-'));
test.after.always('the sockets’ folder is removed', () => rmSync(folder, { recursive: true, force: true }));
let names = 0;
const newPath = () => join(folder, `${names++}`);

/** The next connection; blocks until it is there. */
function acceptOn(poll: Poll, listener: UnixListener, token: number): UnixStream {
  for (;;) {
    const accepted = listener.accept();
    if (accepted) return accepted.stream;
    expectEvents(poll, { token, readable: true });
  }
}

posix('a Unix stream moves in mid-stream: what is unread and what is unsent go along', (t) => {
  using poll = new Poll({ ioThread });
  const [near, far] = UnixStream.pair();
  poll.registry.register(near, 1, BOTH);
  poll.registry.register(far, 2, BOTH);
  expectEvents(poll, { token: 1, writable: true });
  writeAll(poll, near, Buffer.from('unread'));
  expectEvents(poll, { token: 2, readable: true });
  const bytes = Buffer.from(Uint8Array.from({ length: 500_000 }, (_, at) => at % 249));
  const written = far.write(bytes) ?? 0;
  t.true(written > 0);
  using moved = UnixStream.attach(structuredClone(far.detach()));
  t.true(far.closed);
  poll.registry.register(moved, 3, BOTH);
  t.is(readExactly(poll, moved, 6).toString(), 'unread');
  t.true(readExactly(poll, near, written).equals(bytes.subarray(0, written)));
  writeAll(poll, near, Buffer.from('further'));
  t.is(readExactly(poll, moved, 7).toString(), 'further');
  near.close();
});

posix('a Poll moves with its Unix sources; the file of each goes with its new owner', (t) => {
  using peers = new Poll({ ioThread });
  const first = new Poll({ ioThread });
  const [near, far] = UnixStream.pair();
  const [path, mailbox] = [newPath(), newPath()];
  first.registry.register(UnixListener.bind(path), 1, Interest.READABLE);
  first.registry.register(UnixDatagram.bind(mailbox), 2, Interest.READABLE);
  first.registry.register(far, 3, BOTH);
  using sender = UnixDatagram.unbound();
  peers.registry.register(sender, 4, BOTH);
  peers.registry.register(near, 5, BOTH);
  using client = UnixStream.connect(path);
  sender.sendTo(Buffer.from('unread'), mailbox);
  expectEvents(first, { token: 1, readable: true }, { token: 2, readable: true });
  const { poll, sources } = Poll.attach(structuredClone(first.detach()));
  t.true(existsSync(path) && existsSync(mailbox));
  const [[, listener], [, datagrams], [, stream]] = sources as [
    [number, UnixListener],
    [number, UnixDatagram],
    [number, UnixStream],
  ];
  expectEvents(poll, { token: 1, readable: true }, { token: 2, readable: true });
  const into = Buffer.alloc(16);
  t.is(into.toString('latin1', 0, datagrams.recv(into) ?? 0), 'unread');
  writeAll(peers, near, Buffer.from('hello'));
  t.is(readExactly(poll, stream, 5).toString(), 'hello');
  t.is(listener.localName(), path);
  using accepted = acceptOn(poll, listener, 1);
  t.false(accepted.closed);
  for (const [, source] of sources) source.close();
  t.false(existsSync(path) || existsSync(mailbox));
  for (const one of [client, near]) one.abort();
  poll.close();
});

posix('a Unix stream that was never registered, and one that was accepted, move', (t) => {
  using poll = new Poll({ ioThread });
  const path = newPath();
  using listener = UnixListener.bind(path);
  poll.registry.register(listener, 1, Interest.READABLE);
  using client = UnixStream.attach(UnixStream.connect(path).detach(ioThread));
  using server = UnixStream.attach(acceptOn(poll, listener, 1).detach());
  poll.registry.register(client, 2, BOTH);
  poll.registry.register(server, 3, BOTH);
  t.is(client.peerName(), path);
  client.write(Buffer.from('ping'));
  t.is(readExactly(poll, server, 4).toString(), 'ping');
});

posix('a name is good for its own kind only', (t) => {
  const [near, far] = UnixStream.pair();
  const name = near.detach(ioThread);
  t.throws(() => TcpStream.attach(name as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  UnixStream.attach(name).close();
  far.close();
  const listener = listen();
  t.throws(() => UnixListener.from(listener.share(ioThread) as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  listener.close();
  const unix = UnixListener.bind(newPath());
  t.throws(() => TcpListener.from(unix.share(ioThread) as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  unix.close();
});

posix('a shared Unix listener deals its connections, and its file goes with the last sharer', (t) => {
  using poll = new Poll({ ioThread });
  const path = newPath();
  const first = UnixListener.bind(path);
  poll.registry.register(first, 0, Interest.READABLE);
  const name = structuredClone(first.share());
  const second = UnixListener.from(name);
  poll.registry.register(second, 1, Interest.READABLE);
  t.is(second.localName(), path);
  const clients = Array.from({ length: 10 }, () => UnixStream.connect(path));
  for (let left = clients.length; left > 0; left--) {
    const [listener, token] = left % 2 === 0 ? [first, 0] : [second, 1];
    acceptOn(poll, listener, token).abort();
  }
  for (const client of clients) client.abort();
  first.close();
  t.true(existsSync(path), 'a sharer is left');
  using client = UnixStream.connect(path);
  poll.registry.register(client, 2, BOTH);
  const server = acceptOn(poll, second, 1);
  poll.registry.register(server, 3, BOTH);
  server.write(Buffer.from('still served'));
  server.close();
  t.is(readToEnd(poll, client).toString(), 'still served');
  second.close();
  t.false(existsSync(path));
  t.throws(() => UnixListener.from(name), { code: 'ERR_SIDEPORT_CLOSED' });
});

onlyOnLinux('a listener with an abstract name is shared as well', (t) => {
  using poll = new Poll({ ioThread });
  const name = `\0sideport-share-${process.pid}`;
  const first = UnixListener.bind(name);
  using second = UnixListener.from(first.share(ioThread));
  first.close();
  poll.registry.register(second, 1, Interest.READABLE);
  using client = UnixStream.connect(name);
  acceptOn(poll, second, 1).abort();
  t.false(client.closed);
});

posix('a stream and a listener pass to another thread by workerData', async (t) => {
  using poll = new Poll({ ioThread });
  const [near, far] = UnixStream.pair();
  const listener = UnixListener.bind(newPath());
  const worker = new Worker(new URL('./fixtures/unix-heir.js', import.meta.url), {
    workerData: { ioThread: ioThread.share(), stream: far.detach(ioThread), listener: listener.share(ioThread) },
  });
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  poll.registry.register(near, 1, BOTH);
  t.is(readToEnd(poll, near).toString(), listener.localName() ?? 'nameless');
  listener.close();
  near.close();
  t.is(await exited, 0);
});
