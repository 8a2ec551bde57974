import test from 'ava';
import { Events, Interest, IoThread, Poll, TcpStream } from '../src/index.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { BOTH, connectTo, listen, Pair, readExactly, readToEnd, writeAll } from './util/streams.js';

const HIGH = 256 * 1024;
const LOW = 32 * 1024;
const ioThread = ioThreadFor(test, { sendHighWaterBytes: HIGH, sendLowWaterBytes: LOW, receiveBufferSize: 4096 });
const pattern = new Pattern(1, 2 ** 24);

/** As another thread would: through a structured clone, and registered again. */
function move(pair: Pair, stream: TcpStream, token = 3): TcpStream {
  const moved = TcpStream.attach(structuredClone(stream.detach()));
  pair.poll.registry.register(moved, token, BOTH);
  return moved;
}

/** Until what was written there has come, filed and unread. */
function settle(poll: Poll, token: number): void {
  expectEvents(poll, { token, readable: true });
}

test('a stream that has just been accepted moves', (t) => {
  using pair = new Pair(ioThread);
  using moved = move(pair, pair.server);
  t.deepEqual(moved.peerAddress(), pair.client.localAddress());
  t.deepEqual(moved.localAddress(), pair.client.peerAddress());
  for (let round = 0; round < 3; round++) {
    writeAll(pair.poll, pair.client, Buffer.from(`ping ${round}`));
    t.is(readExactly(pair.poll, moved, 6).toString(), `ping ${round}`);
    writeAll(pair.poll, moved, Buffer.from(`pong ${round}`));
    t.is(readExactly(pair.poll, pair.client, 6).toString(), `pong ${round}`);
  }
});

test('its old object is closed, and its registrations have ended', (t) => {
  using pair = new Pair(ioThread);
  using moved = move(pair, pair.server);
  t.true(pair.server.closed);
  for (const call of [
    () => pair.server.read(Buffer.alloc(1)),
    () => pair.server.write(Buffer.alloc(1)),
    () => pair.server.detach(),
    () => pair.server.getTtl(),
    () => pair.poll.registry.deregister(pair.server),
  ]) {
    t.throws(call, { code: 'ERR_SIDEPORT_CLOSED' });
  }
  pair.server.close();
  writeAll(pair.poll, pair.client, Buffer.from('x'));
  const seen = expectEvents(pair.poll, { token: 3, readable: true });
  t.false(seen.some(({ token }) => token === 2));
  t.is(moved.read(Buffer.alloc(9)), 1);
});

test('what was unread goes along: read in part, in buffers, and not yet seen', (t) => {
  using pair = new Pair(ioThread);
  writeAll(pair.poll, pair.client, pattern.at(0, 10_000));
  settle(pair.poll, 2);
  t.is(pair.server.read(Buffer.alloc(100)), 100);
  using moved = move(pair, pair.server);
  writeAll(pair.poll, pair.client, pattern.at(10_000, 1000));
  t.true(pattern.matches(100, readExactly(pair.poll, moved, 10_900)));
});

test('unread data is readable at once, without a round trip', (t) => {
  using pair = new Pair(ioThread);
  writeAll(pair.poll, pair.client, Buffer.from('waiting'));
  settle(pair.poll, 2);
  using moved = TcpStream.attach(pair.server.detach());
  const lease = moved.take();
  t.is(Buffer.from(lease?.copy() ?? []).toString(), 'waiting');
  lease?.release();
});

test('a stream that moves again and again without being read holds no more than its quota', async (t) => {
  using pair = new Pair(ioThread);
  let stream = pair.server;
  let written = 0;
  const events = new Events();
  for (let round = 0; round < 100; round++) {
    written += pair.client.write(pattern.at(written, 65_536)) ?? 0;
    pair.poll.poll(events, 0);
    stream = move(pair, stream);
  }
  while (pair.poll.poll(events, 50) > 0);
  // 16 buffers of 4096 bytes, and the overshoot of one cancelled receive per move at most.
  const { copiedBytes, receiveBuffersHeld } = await ioThread.stats();
  t.true(copiedBytes + 4096 * receiveBuffersHeld <= 4096 * 64, `${copiedBytes} and ${receiveBuffersHeld} buffers`);
  t.true(pattern.matches(0, readExactly(pair.poll, stream, written)));
  stream.abort();
});

test('accepted writes are sent, before those of the next owner', (t) => {
  using pair = new Pair(ioThread);
  let stream = pair.server;
  let written = 0;
  // Nobody reads yet: the kernel takes what it can, the rest waits, some of it for each of the owners.
  const events = new Events();
  for (let owner = 0; owner < 5; owner++) {
    for (let round = 0; round < 200; round++) {
      const count = stream.write(pattern.at(written, 65_536));
      if (count === null) pair.poll.poll(events, 1);
      else written += count;
    }
    stream = move(pair, stream);
  }
  stream.close();
  const got = readToEnd(pair.poll, pair.client);
  t.is(got.length, written);
  t.true(pattern.matches(0, got));
});

test('water marks are kept: a full stream is full at the next owner, until the low one', (t) => {
  using pair = new Pair(ioThread);
  const events = new Events();
  pair.fill();
  using moved = move(pair, pair.server);
  t.is(moved.write(Buffer.alloc(1)), null);
  for (let round = 0; round < 5; round++) {
    pair.poll.poll(events, 10);
    t.false([...events].some(({ token, isWritable }) => token === 3 && isWritable));
  }
  pair.letClientRead();
  const into = Buffer.alloc(65_536);
  const untilMs = performance.now() + 10_000;
  for (let writable = false; !writable; ) {
    if (performance.now() > untilMs) return t.fail('never writable again');
    for (let count = pair.client.read(into); count !== null; count = pair.client.read(into));
    pair.poll.poll(events, 100);
    writable = [...events].some(({ token, isWritable }) => token === 3 && isWritable);
  }
  t.is(moved.write(Buffer.alloc(1000)), 1000);
});

test('options go along', (t) => {
  using pair = new Pair(ioThread);
  pair.server.setNoDelay(true);
  pair.server.setTtl(33);
  using moved = move(pair, pair.server);
  t.true(moved.getNoDelay());
  t.is(moved.getTtl(), 33);
  moved.setTtl(34);
  t.is(moved.getTtl(), 34);
});

test('the end of the stream goes along: seen, and not yet seen', (t) => {
  for (const see of [true, false]) {
    using pair = new Pair(ioThread);
    writeAll(pair.poll, pair.client, Buffer.from('last words'));
    pair.client.shutdown('write');
    if (see) expectEvents(pair.poll, { token: 2, readable: true, readClosed: true });
    using moved = move(pair, pair.server);
    t.is(readToEnd(pair.poll, moved).toString(), 'last words');
    t.is(moved.read(Buffer.alloc(1)), 0);
    writeAll(pair.poll, moved, Buffer.from('answer'));
    t.is(readExactly(pair.poll, pair.client, 6).toString(), 'answer');
  }
});

test('a half that was shut down stays so, and its end follows the writes before it', (t) => {
  using pair = new Pair(ioThread);
  const events = new Events();
  let written = 0;
  for (let count: number | null = 1; count !== null; written += count ?? 0)
    count = pair.server.write(pattern.at(written, 65_536));
  pair.server.shutdown('write');
  using moved = move(pair, pair.server);
  t.throws(() => moved.write(Buffer.alloc(1)), { code: 'EPIPE' });
  pair.poll.poll(events, 0);
  const got = readToEnd(pair.poll, pair.client);
  t.is(got.length, written);
  t.true(pattern.matches(0, got));
  writeAll(pair.poll, pair.client, Buffer.from('still heard'));
  t.is(readExactly(pair.poll, moved, 11).toString(), 'still heard');
});

test('an error goes along, once, behind the data: seen, and not yet seen', (t) => {
  for (const see of [true, false]) {
    using pair = new Pair(ioThread);
    writeAll(pair.poll, pair.client, Buffer.from('data'));
    settle(pair.poll, 2);
    pair.client.abort();
    if (see) expectEvents(pair.poll, { token: 2, error: true });
    using moved = move(pair, pair.server);
    expectEvents(pair.poll, { token: 3, error: true });
    t.is(moved.read(Buffer.alloc(9)), 4);
    t.throws(() => moved.read(Buffer.alloc(9)), { code: 'ECONNRESET', message: /^read ECONNRESET/ });
    t.is(moved.takeError(), null);
    t.is(moved.read(Buffer.alloc(9)), 0);
  }
});

test('a write that fails after the move is an error of the new owner', (t) => {
  using pair = new Pair(ioThread);
  pair.fill();
  const moved = TcpStream.attach(pair.server.detach());
  pair.poll.registry.register(moved, 3, Interest.WRITABLE);
  pair.client.abort();
  expectEvents(pair.poll, { token: 3, error: true, writeClosed: true });
  t.true(['ECONNRESET', 'EPIPE'].includes(moved.takeError()?.code ?? 'none'));
  t.throws(() => moved.write(Buffer.alloc(1)), { code: 'EPIPE' });
  moved.abort();
});

test('a stream moves while it connects, and before: success and failure are told to the new owner', (t) => {
  using poll = new Poll({ ioThread });
  const listener = listen();
  poll.registry.register(listener, 0, Interest.READABLE);
  const stream = connectTo(listener);
  poll.registry.register(stream, 1, BOTH);
  using moved = TcpStream.attach(stream.detach());
  poll.registry.register(moved, 2, BOTH);
  expectEvents(poll, { token: 0, readable: true }, { token: 2, writable: true });
  t.is(moved.takeError(), null);
  listener.accept()?.stream.abort();
  listener.close();
  expectEvents(poll, { token: 2, error: true });
  // Nobody has taken its descriptor over, so it is closed when this returns.
  const closed = listen();
  const { port } = closed.localAddress();
  const refused = connectTo(closed);
  closed.close();
  poll.registry.register(refused, 3, BOTH);
  using other = TcpStream.attach(refused.detach());
  poll.registry.register(other, 4, BOTH);
  expectEvents(poll, { token: 4, error: true });
  t.like(other.takeError(), { code: 'ECONNREFUSED', syscall: 'connect', port });
});

test('a stream that was never registered is detached to the default I/O thread', async (t) => {
  const theDefault = IoThread.default();
  {
    using poll = new Poll();
    using listener = listen();
    poll.registry.register(listener, 0, Interest.READABLE);
    using moved = TcpStream.attach(connectTo(listener).detach());
    poll.registry.register(moved, 1, BOTH);
    expectEvents(poll, { token: 0, readable: true }, { token: 1, writable: true });
    t.is(moved.takeError(), null);
    using accepted = listener.accept()?.stream;
    writeAll(poll, moved, Buffer.from('x'));
    if (!accepted) return t.fail('nothing was accepted');
    poll.registry.register(accepted, 2, BOTH);
    t.is(readExactly(poll, accepted, 1).toString(), 'x');
  }
  await theDefault.close();
});

test('a name is good for one attach', (t) => {
  using pair = new Pair(ioThread);
  const name = pair.server.detach();
  const copy = structuredClone(name);
  using moved = TcpStream.attach(name);
  for (const again of [name, copy]) t.throws(() => TcpStream.attach(again), { code: 'ERR_SIDEPORT_TRANSFER_USED' });
  pair.poll.registry.register(moved, 3, BOTH);
  writeAll(pair.poll, pair.client, Buffer.from('mine'));
  t.is(readExactly(pair.poll, moved, 4).toString(), 'mine');
});

test('with an outstanding lease nothing is detached, and the stream goes on', (t) => {
  using pair = new Pair(ioThread);
  writeAll(pair.poll, pair.client, Buffer.from('lent'));
  settle(pair.poll, 2);
  const lease = pair.server.take();
  t.throws(() => pair.server.detach(), { code: 'ERR_SIDEPORT_LEASE_HELD' });
  t.is(Buffer.from(lease?.bytes ?? []).toString(), 'lent');
  writeAll(pair.poll, pair.client, Buffer.from('more'));
  t.is(readExactly(pair.poll, pair.server, 4).toString(), 'more');
  lease?.release();
  using moved = move(pair, pair.server);
  writeAll(pair.poll, moved, Buffer.from('x'));
  t.is(readExactly(pair.poll, pair.client, 1).toString(), 'x');
});

test('what is no name is refused', (t) => {
  for (const wrong of [undefined, null, {}, { sideport: 'signal' }, 'x', { sideport: 'detached-stream' }]) {
    t.throws(() => TcpStream.attach(wrong as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
});

test('an attached stream belongs to its own I/O thread', async (t) => {
  const other = IoThread.start({});
  using pair = new Pair(ioThread);
  {
    using foreign = new Poll({ ioThread: other });
    using moved = TcpStream.attach(pair.server.detach());
    t.throws(() => foreign.registry.register(moved, 1, BOTH), { code: 'ERR_SIDEPORT_OTHER_IO_THREAD' });
    pair.poll.registry.register(moved, 3, BOTH);
  }
  const far = new Pair(other);
  const name = far.server.detach();
  far.client.abort();
  far.poll.close();
  await other.close();
  t.throws(() => TcpStream.attach(name), { code: 'ERR_SIDEPORT_IO_THREAD_GONE' });
});
