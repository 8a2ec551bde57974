import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { Events, Interest, Poll, UnixDatagram, UnixListener } from '../src/index.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows, unless } from './util/platform.js';
import { BOTH } from './util/streams.js';

const posix = unless(onWindows, 'Windows has no Unix-domain sockets');

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });
const text = (string: string) => Buffer.from(string);
const folder = mkdtempSync(join(tmpdir(), 'sideport-unix-'));
test.after.always('the sockets’ folder is removed', () => rmSync(folder, { recursive: true, force: true }));
let names = 0;
const newPath = () => join(folder, `${names++}.sock`);

/** The next datagrams as text, and who sent them. */
function receive(poll: Poll, socket: UnixDatagram, count: number): [string, string | undefined][] {
  const got: [string, string | undefined][] = [];
  const into = Buffer.alloc(65_536);
  const events = new Events();
  while (got.length < count) {
    const received = socket.recvFrom(into);
    if (received) got.push([into.toString('latin1', 0, received.length), received.from]);
    else if (poll.poll(events, 10_000) === 0) throw new Error(`${got.length} of ${count} came`);
  }
  return got;
}

posix('datagrams go to a path, and the sender’s path comes with them', (t) => {
  using poll = newPoll();
  const [pathA, pathB] = [newPath(), newPath()];
  using a = UnixDatagram.bind(pathA);
  using b = UnixDatagram.bind(pathB);
  using nameless = UnixDatagram.unbound();
  for (const [token, socket] of [a, b, nameless].entries()) poll.registry.register(socket, token, BOTH);
  t.is(a.sendTo(text('with a name'), pathB), 11);
  t.is(a.sendTo(text(''), pathB), 0);
  t.is(nameless.sendTo(text('without'), pathB), 7);
  t.deepEqual(
    receive(poll, b, 3).sort(),
    [
      ['', pathA],
      ['with a name', pathA],
      ['without', undefined],
    ].sort() as [string, string | undefined][],
  );
  t.deepEqual([a.localName(), nameless.localName()], [pathA, undefined]);
});

unless(process.platform !== 'linux', 'only Linux has abstract names')('abstract names need no file', (t) => {
  using poll = newPoll();
  const name = `\0sideport-test-${process.pid}-${Date.now()}`;
  using socket = UnixDatagram.bind(name);
  using other = UnixDatagram.unbound();
  poll.registry.register(socket, 0, BOTH);
  poll.registry.register(other, 1, BOTH);
  t.is(socket.localName(), name);
  other.connect(name);
  t.is(other.peerName(), name);
  t.is(other.send(text('abstract')), 8);
  t.deepEqual(receive(poll, socket, 1), [['abstract', undefined]]);
});

posix('a pair’s datagrams are never lost: a sender to a peer that does not read waits', (t) => {
  using poll = newPoll();
  const [a, b] = UnixDatagram.pair();
  poll.registry.register(a, 1, BOTH);
  poll.registry.register(b, 2, Interest.READABLE);
  const count = 3000;
  const events = new Events();
  const got: string[] = [];
  const into = Buffer.alloc(2048);
  let refused = 0;
  for (let sent = 0; got.length < count; ) {
    while (sent < count) {
      if (a.send(text(`${sent}`.padEnd(1000))) === null) {
        refused++;
        break;
      }
      sent++;
    }
    for (let length = b.recv(into); length !== null; length = b.recv(into)) {
      got.push(into.toString('latin1', 0, length).trim());
    }
    if (got.length < count) poll.poll(events, 1000);
  }
  t.deepEqual(
    got,
    Array.from({ length: count }, (_, at) => `${at}`),
  );
  t.true(refused >= 0);
  a.close();
  b.close();
});

posix('that nobody is bound to a name is an error of a later call; the socket goes on', (t) => {
  using poll = newPoll();
  const path = newPath();
  using socket = UnixDatagram.bind(path);
  poll.registry.register(socket, 1, BOTH);
  t.is(socket.sendTo(text('void'), newPath()), 4);
  expectEvents(poll, { token: 1, error: true });
  t.is(socket.takeError()?.code, 'ENOENT');
  socket.takeError();
  t.is(socket.sendTo(text('to myself'), path), 9);
  const events = new Events();
  const into = Buffer.alloc(32);
  let length: number | null = null;
  while (length === null) {
    try {
      length = socket.recv(into);
    } catch (error) {
      t.is((error as NodeJS.ErrnoException).code, 'ENOENT', 'told of both tries');
    }
    if (length === null) poll.poll(events, 10_000);
  }
  t.is(into.toString('latin1', 0, length), 'to myself');
});

posix('before it is registered a socket sends to its peer, not to names', (t) => {
  using poll = newPoll();
  const path = newPath();
  using receiver = UnixDatagram.bind(path);
  using sender = UnixDatagram.unbound();
  t.throws(() => sender.send(text('x')), { code: 'ENOTCONN' });
  t.throws(() => sender.sendTo(text('x'), path), { code: 'ERR_SIDEPORT_NOT_REGISTERED' });
  sender.connect(path);
  t.is(sender.send(text('early')), 5);
  poll.registry.register(receiver, 0, Interest.READABLE);
  t.is(receive(poll, receiver, 1)[0]?.[0], 'early');
});

posix('files go with their sockets; what is no socket of datagrams is not adopted', (t) => {
  const path = newPath();
  const socket = UnixDatagram.bind(path);
  t.true(existsSync(path));
  t.throws(() => UnixDatagram.bind(path), { code: 'EADDRINUSE' });
  socket.close();
  t.false(existsSync(path));
  using listener = UnixListener.bind(path);
  t.truthy(listener);
  const missing = t.throws(() => UnixDatagram.unbound().connect(newPath())) as NodeJS.ErrnoException;
  t.is(missing.code, 'ENOENT');
  t.throws(() => UnixDatagram.fromDescriptor(99_999), { code: 'EBADF' });
});
