import test from 'ava';
import { Events, Interest, IoThread, Poll, PollOpt, type TcpListener, TcpStream } from '../src/index.js';
import { copyOf, expectEvents, type Seen } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { BOTH, connectTo, listen, Pair, readExactly } from './util/streams.js';

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });

/** Only looks. */
function look(poll: Poll, capacity = 16): Seen[] {
  const events = new Events(capacity);
  poll.poll(events, 0);
  return [...events].map(copyOf);
}

/** Makes `pair.server` readable, and sure that its thread knows: data on the Poll of `pair`. */
function sendTo(pair: Pair, text: string): void {
  pair.client.write(Buffer.from(text));
  expectEvents(pair.poll, { token: 2, readable: true });
}

test('an edge is told once, until something changes', (t) => {
  using pair = new Pair(ioThread);
  sendTo(pair, 'one');
  t.deepEqual(look(pair.poll), []);
  sendTo(pair, 'two');
  t.deepEqual(look(pair.poll), []);
  t.is(readExactly(pair.poll, pair.server, 6).toString(), 'onetwo');
});

test('a level is told in every poll while it holds', (t) => {
  using pair = new Pair(ioThread);
  pair.poll.registry.reregister(pair.server, 2, Interest.READABLE, PollOpt.LEVEL);
  t.deepEqual(look(pair.poll), []);
  sendTo(pair, 'one');
  for (let time = 0; time < 3; time++) {
    const [seen, ...more] = look(pair.poll);
    t.like(seen, { token: 2, readable: true, writable: false });
    t.is(more.length, 0);
  }
  readExactly(pair.poll, pair.server, 3);
  t.deepEqual(look(pair.poll), []);
});

for (const [name, options] of [
  ['edge', PollOpt.ONESHOT],
  ['level', PollOpt.LEVEL | PollOpt.ONESHOT],
] as const) {
  test(`a oneshot (${name}) is told once for all interests, until it is registered anew`, (t) => {
    using pair = new Pair(ioThread);
    using bystander = newPoll();
    bystander.registry.register(pair.server, 7, Interest.READABLE);
    pair.poll.registry.reregister(pair.server, 2, Interest.READABLE, options);
    sendTo(pair, 'one');
    pair.client.write(Buffer.from('two'));
    readExactly(bystander, pair.server, 6);
    t.deepEqual(look(pair.poll), []);
    pair.poll.registry.reregister(pair.server, 2, BOTH, options);
    t.like(look(pair.poll)[0], { token: 2, writable: true });
    pair.client.write(Buffer.from('three'));
    // The thread has filed the event; the oneshot had its chance.
    expectEvents(bystander, { token: 7, readable: true });
    t.deepEqual(look(pair.poll), []);
    pair.poll.registry.reregister(pair.server, 2, Interest.READABLE, options);
    expectEvents(pair.poll, { token: 2, readable: true });
  });
}

test('an interest that is satisfied already is told at once', (t) => {
  using pair = new Pair(ioThread);
  sendTo(pair, 'data');
  t.deepEqual(look(pair.poll), []);
  pair.poll.registry.reregister(pair.server, 9, BOTH);
  t.like(look(pair.poll)[0], { token: 9, readable: true, writable: true });
});

test('reregister replaces token and interest, also of an event under way', (t) => {
  using pair = new Pair(ioThread);
  using bystander = newPoll();
  bystander.registry.register(pair.server, 7, Interest.READABLE);
  pair.client.write(Buffer.from('x'));
  // The thread has filed the event under both Polls by now; the one of `pair.poll` is under way.
  expectEvents(bystander, { token: 7, readable: true });
  pair.poll.registry.reregister(pair.server, 3, Interest.WRITABLE);
  t.deepEqual(
    look(pair.poll).map(({ token, readable, writable }) => [token, readable, writable]),
    [[3, false, true]],
  );
});

test('deregister takes an event under way back; the source can be registered again and has lost nothing', (t) => {
  using pair = new Pair(ioThread);
  using bystander = newPoll();
  bystander.registry.register(pair.server, 7, Interest.READABLE);
  pair.client.write(Buffer.from('x'));
  expectEvents(bystander, { token: 7, readable: true });
  pair.poll.registry.deregister(pair.server);
  t.deepEqual(look(pair.poll), []);
  pair.poll.registry.register(pair.server, 8, Interest.READABLE);
  t.like(look(pair.poll)[0], { token: 8, readable: true, writable: false });
  t.is(readExactly(pair.poll, pair.server, 1).toString(), 'x');
  for (let round = 0; round < 50; round++) {
    pair.poll.registry.deregister(pair.server);
    pair.poll.registry.register(pair.server, round, Interest.READABLE);
  }
  pair.client.write(Buffer.from('y'));
  expectEvents(pair.poll, { token: 49, readable: true });
});

test('without an interest in reading nothing is received, and what was received stays', (t) => {
  using pair = new Pair(ioThread);
  sendTo(pair, 'before');
  pair.poll.registry.reregister(pair.server, 2, Interest.WRITABLE);
  t.is(readExactly(pair.poll, pair.server, 6).toString(), 'before');
  pair.client.write(Buffer.from('after'));
  pair.server.write(Buffer.from('x'));
  expectEvents(pair.poll, { token: 1, readable: true });
  t.is(pair.server.read(Buffer.alloc(8)), null);
  pair.poll.registry.reregister(pair.server, 2, Interest.READABLE);
  t.is(readExactly(pair.poll, pair.server, 5).toString(), 'after');
});

test('a source may be registered with several Polls: all hear, the data is read once', (t) => {
  using pair = new Pair(ioThread);
  using other = newPoll();
  other.registry.register(pair.server, 7, Interest.READABLE);
  pair.client.write(Buffer.from('x'));
  expectEvents(other, { token: 7, readable: true });
  expectEvents(pair.poll, { token: 2, readable: true });
  t.is(readExactly(pair.poll, pair.server, 1).toString(), 'x');
  t.is(pair.server.read(Buffer.alloc(1)), null);
});

test('an event that a read has overtaken is not delivered', (t) => {
  using pair = new Pair(ioThread);
  using other = newPoll();
  other.registry.register(pair.server, 7, Interest.READABLE);
  pair.client.write(Buffer.from('x'));
  expectEvents(other, { token: 7, readable: true });
  readExactly(other, pair.server, 1);
  t.deepEqual(look(pair.poll), []);
});

test('registering is refused with a code, on the thread that asks, and nothing changes', async (t) => {
  using poll = newPoll();
  using listener = listen();
  const { registry } = poll;
  const not = { code: 'ERR_SIDEPORT_NOT_REGISTERED' };
  t.throws(() => registry.reregister(listener, 0, Interest.READABLE), not);
  t.throws(() => registry.deregister(listener), not);
  const invalid = { code: 'ERR_SIDEPORT_INVALID_ARG' };
  for (const token of [-1, 2 ** 32, 1.5, Number.NaN, '0' as unknown as number]) {
    t.throws(() => registry.register(listener, token, Interest.READABLE), invalid);
  }
  for (const interest of [0, 4, -1, 1.5, undefined as unknown as number]) {
    t.throws(() => registry.register(listener, 0, interest), invalid);
  }
  for (const options of [PollOpt.EDGE | PollOpt.LEVEL, 8, -1, 0.5]) {
    t.throws(() => registry.register(listener, 0, Interest.READABLE, options), invalid);
  }
  for (const source of [undefined, null, {}, 7, poll]) {
    t.throws(() => registry.register(source as unknown as TcpListener, 0, Interest.READABLE), invalid);
  }
  registry.register(listener, 0, Interest.READABLE);
  t.throws(() => registry.register(listener, 1, Interest.READABLE), { code: 'ERR_SIDEPORT_ALREADY_REGISTERED' });
  t.throws(() => registry.reregister(listener, 2 ** 32, Interest.READABLE), invalid);
  using stream = connectTo(listener);
  registry.register(stream, 1, Interest.WRITABLE);
  const seen = expectEvents(poll, { token: 0, readable: true }, { token: 1, writable: true });
  t.true(seen.every(({ token }) => token === 0 || token === 1));
  listener.accept()?.stream.abort();

  await using strange = IoThread.start();
  using strangePoll = new Poll({ ioThread: strange });
  const other = { code: 'ERR_SIDEPORT_OTHER_IO_THREAD' };
  t.throws(() => strangePoll.registry.register(listener, 0, Interest.READABLE), other);
  t.throws(() => strangePoll.registry.register(stream, 0, Interest.READABLE), other);
});

test('a closed source is refused with a code', (t) => {
  using poll = newPoll();
  const listener = listen();
  const { port } = listener.localAddress();
  listener.close();
  const stream = TcpStream.connect({ host: '127.0.0.1', port });
  stream.close();
  for (const source of [listener, stream]) {
    t.throws(() => poll.registry.register(source, 0, Interest.READABLE), { code: 'ERR_SIDEPORT_CLOSED' });
    t.throws(() => poll.registry.reregister(source, 0, Interest.READABLE), { code: 'ERR_SIDEPORT_CLOSED' });
    t.throws(() => poll.registry.deregister(source), { code: 'ERR_SIDEPORT_CLOSED' });
  }
});

test('a limit reached is refused with a code, and gives way when a source is closed', async (t) => {
  await using small = IoThread.start({ maxSources: 2 });
  using poll = new Poll({ ioThread: small });
  const streams = [1, 2, 3].map(() => TcpStream.connect({ host: '127.0.0.1', port: 9 }));
  const [first, second, third] = streams as [TcpStream, TcpStream, TcpStream];
  poll.registry.register(first, 1, BOTH);
  poll.registry.register(second, 2, BOTH);
  t.throws(() => poll.registry.register(third, 3, BOTH), { code: 'ERR_SIDEPORT_LIMIT' });
  first.abort();
  // The slot comes back when the I/O thread has reaped the source; polling reads that.
  const events = new Events();
  for (let round = 0; ; round++) {
    try {
      poll.registry.register(third, 3, BOTH);
      break;
    } catch (error) {
      if (round === 1000) throw error;
      poll.poll(events, 10);
    }
  }
  for (const stream of streams) stream.abort();
  t.pass();
});

test('the I/O thread sleeps while a level that nobody acts on holds', async (t) => {
  using pair = new Pair(ioThread, PollOpt.LEVEL);
  sendTo(pair, 'unread');
  const before = await ioThread.stats();
  for (let round = 0; round < 1000; round++) t.true(look(pair.poll).length > 0);
  const after = await ioThread.stats();
  // Two calls for the numbers themselves; a thread that turned for the level would turn about as often as it was asked.
  t.true(after.turns - before.turns < 500, `${after.turns - before.turns} turns for 1000 polls`);
});
