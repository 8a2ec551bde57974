import test from 'ava';
import {
  Awakener,
  channel,
  type DetachedPoll,
  Events,
  Interest,
  Poll,
  PollOpt,
  Registration,
  type Registry,
  TcpListener,
  TcpStream,
  Timer,
} from '../src/index.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { BOTH, connectTo, listen, Pair, readExactly, readToEnd, writeAll } from './util/streams.js';

const ioThread = ioThreadFor(test);
const { READABLE, WRITABLE } = Interest;
const newPoll = () => new Poll({ ioThread });

/** As another thread would: through a structured clone. */
function move(poll: Poll) {
  const attached = Poll.attach(structuredClone(poll.detach()));
  return { poll: attached.poll, sources: new Map(attached.sources) };
}

/** A stream of the pair on a Poll of its own, so that the peer's stays. */
function moved(pair: Pair, interest = BOTH, options: number = PollOpt.EDGE): Poll {
  const poll = newPoll();
  pair.poll.registry.deregister(pair.server);
  poll.registry.register(pair.server, 7, interest, options);
  return poll;
}

function pollOnce(poll: Poll): number[] {
  const events = new Events();
  poll.poll(events, 0);
  return [...events].map(({ token }) => token);
}

/** Until the bytes that were written to its peer are there, whatever the Poll is asked. */
function arrived(stream: TcpStream, count: number, poll: Poll): void {
  const into = Buffer.alloc(count);
  for (const events = new Events(); stream.peek(into) !== count; ) poll.poll(events, 1);
}

test('a Poll moves with its sources: streams, a listener and a timer go on, by their tokens', (t) => {
  using pair = new Pair(ioThread);
  const before = moved(pair);
  const listener = listen();
  const timer = new Timer();
  before.registry.register(listener, 1, READABLE);
  before.registry.register(timer, 2, READABLE);
  const { port } = listener.localAddress();
  const { poll, sources } = move(before);
  t.true(before !== poll);
  t.deepEqual([...sources.keys()], [7, 1, 2]);
  for (const old of [pair.server, listener, timer]) t.true(old.closed);
  t.throws(() => before.poll(new Events(), 0), { code: 'ERR_SIDEPORT_CLOSED' });
  t.throws(() => before.detach(), { code: 'ERR_SIDEPORT_CLOSED' });
  const [stream, heir, beat] = [sources.get(7), sources.get(1), sources.get(2)];
  if (!(stream instanceof TcpStream && heir instanceof TcpListener && beat instanceof Timer)) return t.fail();
  t.is(heir.localAddress().port, port);
  t.deepEqual(stream.peerAddress(), pair.client.localAddress());
  writeAll(pair.poll, pair.client, Buffer.from('ping'));
  expectEvents(poll, { token: 7, readable: true });
  t.is(readExactly(poll, stream, 4).toString(), 'ping');
  writeAll(poll, stream, Buffer.from('pong'));
  t.is(readExactly(pair.poll, pair.client, 4).toString(), 'pong');
  beat.set(0);
  expectEvents(poll, { token: 2, readable: true });
  using other = connectTo(heir);
  pair.poll.registry.register(other, 3, BOTH);
  expectEvents(poll, { token: 1, readable: true });
  heir.accept()?.stream.close();
  for (const source of sources.values()) source.close();
  poll.close();
});

test('a Poll without sources, and one with sources of the same token, move', (t) => {
  const { poll, sources } = move(newPoll());
  t.is(sources.size, 0);
  t.is(poll.poll(new Events(), 0), 0);
  const timers = [Timer.after(0), Timer.after(0)];
  for (const timer of timers) poll.registry.register(timer, 5, READABLE);
  const both = Poll.attach(poll.detach());
  t.deepEqual(
    both.sources.map(([token]) => token),
    [5, 5],
  );
  for (const [, timer] of both.sources) timer.close();
  both.poll.close();
});

test('an edge that was raised and not delivered is delivered by the new Poll, once; one that was delivered is not', (t) => {
  using pair = new Pair(ioThread);
  const first = moved(pair);
  writeAll(pair.poll, pair.client, Buffer.from('x'));
  arrived(pair.server, 1, pair.poll);
  const second = move(first);
  const [seen] = expectEvents(second.poll, { token: 7, readable: true, writable: true });
  t.false(seen?.readClosed);
  t.deepEqual(pollOnce(second.poll), []);
  const third = move(second.poll);
  t.deepEqual(pollOnce(third.poll), [], 'still unread, and told already');
  writeAll(pair.poll, pair.client, Buffer.from('y'));
  expectEvents(third.poll, { token: 7, readable: true });
  const stream = third.sources.get(7) as TcpStream;
  t.is(readExactly(third.poll, stream, 2).toString(), 'xy');
  stream.abort();
  third.poll.close();
});

test('what becomes ready on the way is told, also at the one who was told of the same before', (t) => {
  using pair = new Pair(ioThread);
  const first = moved(pair);
  writeAll(pair.poll, pair.client, Buffer.from('x'));
  expectEvents(first, { token: 7, readable: true });
  const name = first.detach();
  writeAll(pair.poll, pair.client, Buffer.from('y'));
  pair.client.shutdown('write');
  const { poll, sources } = Poll.attach(name);
  expectEvents(poll, { token: 7, readable: true, readClosed: true });
  const stream = new Map(sources).get(7) as TcpStream;
  t.is(readToEnd(poll, stream).toString(), 'xy');
  stream.abort();
  poll.close();
});

test('a level is told on as long as it holds', (t) => {
  using pair = new Pair(ioThread);
  const first = moved(pair, READABLE, PollOpt.LEVEL);
  writeAll(pair.poll, pair.client, Buffer.from('x'));
  expectEvents(first, { token: 7, readable: true });
  const { poll, sources } = move(first);
  for (let round = 0; round < 3; round++) t.deepEqual(pollOnce(poll), [7]);
  const stream = sources.get(7) as TcpStream;
  t.is(stream.read(Buffer.alloc(9)), 1);
  t.deepEqual(pollOnce(poll), []);
  stream.abort();
  poll.close();
});

test('a oneshot that was delivered stays silent until it is registered anew, one that was not is told once', (t) => {
  for (const delivered of [true, false]) {
    using pair = new Pair(ioThread);
    const first = moved(pair, READABLE, PollOpt.EDGE | PollOpt.ONESHOT);
    writeAll(pair.poll, pair.client, Buffer.from('x'));
    if (delivered) expectEvents(first, { token: 7, readable: true });
    else arrived(pair.server, 1, pair.poll);
    const { poll, sources } = move(first);
    if (!delivered) t.deepEqual(pollOnce(poll), [7]);
    const stream = sources.get(7) as TcpStream;
    writeAll(pair.poll, pair.client, Buffer.from('y'));
    arrived(stream, 2, pair.poll);
    t.is(readExactly(poll, stream, 2).toString(), 'xy');
    t.deepEqual(pollOnce(poll), []);
    writeAll(pair.poll, pair.client, Buffer.from('z'));
    arrived(stream, 1, pair.poll);
    t.deepEqual(pollOnce(poll), []);
    poll.registry.reregister(stream, 8, READABLE);
    t.deepEqual(pollOnce(poll), [8]);
    stream.abort();
    poll.close();
  }
});

test('interest goes along: what a Poll did not ask for it does not hear of', (t) => {
  using pair = new Pair(ioThread);
  const first = moved(pair, WRITABLE);
  t.deepEqual(pollOnce(first), [7]);
  const { poll, sources } = move(first);
  const stream = sources.get(7) as TcpStream;
  t.deepEqual(pollOnce(poll), []);
  poll.registry.reregister(stream, 7, READABLE);
  writeAll(pair.poll, pair.client, Buffer.from('x'));
  expectEvents(poll, { token: 7, readable: true });
  stream.abort();
  poll.close();
});

test('a stream that was full is told of when there is room', (t) => {
  using pair = new Pair(ioThread);
  const first = moved(pair);
  const written = pair.fill();
  while (first.poll(new Events(), 0) > 0);
  const { poll, sources } = move(first);
  const stream = sources.get(7) as TcpStream;
  t.is(stream.write(Buffer.alloc(1)), null);
  t.deepEqual(pollOnce(poll), []);
  pair.letClientRead();
  t.is(readExactly(pair.poll, pair.client, written).length, written);
  expectEvents(poll, { token: 7, writable: true });
  t.is(stream.write(Buffer.alloc(1)), 1);
  stream.abort();
  poll.close();
});

test('connections that nobody has accepted go along, in order, and so do those made on the way', (t) => {
  using peers = newPoll();
  const first = newPoll();
  const listener = listen();
  first.registry.register(listener, 1, READABLE);
  const { port } = listener.localAddress();
  const streams: TcpStream[] = [];
  const connect = () => {
    const stream = TcpStream.connect({ host: '127.0.0.1', port });
    peers.registry.register(stream, streams.length, WRITABLE);
    expectEvents(peers, { token: streams.length, writable: true });
    t.is(stream.takeError(), null);
    streams.push(stream);
  };
  connect();
  expectEvents(first, { token: 1, readable: true });
  connect();
  const name = first.detach();
  connect();
  const { poll, sources } = Poll.attach(name);
  connect();
  const [, heir] = sources[0] ?? [];
  if (!(heir instanceof TcpListener)) return t.fail();
  const peersSeen: unknown[] = [];
  while (peersSeen.length < streams.length) {
    expectEvents(poll, { token: 1, readable: true });
    for (let accepted = heir.accept(); accepted; accepted = heir.accept()) {
      peersSeen.push(accepted.peer);
      accepted.stream.abort();
    }
  }
  t.deepEqual(
    peersSeen,
    streams.map((stream) => stream.localAddress()),
  );
  for (const stream of [...streams, heir]) stream.close();
  poll.close();
});

test('a listener whose other sharers stay moves its own part', (t) => {
  using others = newPoll();
  const first = newPoll();
  const listener = listen();
  first.registry.register(listener, 1, READABLE);
  using sharer = TcpListener.from(listener.share());
  const { poll, sources } = move(first);
  const heir = sources.get(1) as TcpListener;
  using client = connectTo(heir);
  others.registry.register(client, 2, WRITABLE);
  expectEvents(poll, { token: 1, readable: true });
  heir.accept()?.stream.abort();
  heir.close();
  t.false(sharer.closed);
  using another = connectTo(sharer);
  others.registry.register(another, 3, WRITABLE);
  others.registry.register(sharer, 4, READABLE);
  expectEvents(others, { token: 4, readable: true });
  sharer.accept()?.stream.abort();
  poll.close();
});

/** Why a Poll cannot move; each adds to the Poll what speaks against it, and gives back how that is undone. */
const obstacles: Record<string, { code: string; add(poll: Poll, pair: Pair): () => void }> = {
  'an Awakener': {
    code: 'ERR_SIDEPORT_NOT_MOVABLE',
    add(poll) {
      const awakener = new Awakener(poll.registry, 50);
      return () => awakener.close();
    },
  },
  'readiness that the program sets': {
    code: 'ERR_SIDEPORT_NOT_MOVABLE',
    add(poll) {
      const { registration } = Registration.create(ioThread);
      poll.registry.register(registration, 50, READABLE);
      return () => registration.close();
    },
  },
  'the end of a channel, within a source of one’s own': {
    code: 'ERR_SIDEPORT_NOT_MOVABLE',
    add(poll) {
      const { receiver } = channel({ ioThread });
      const register = (registry: Registry, token: number, interest: number, options: number) =>
        registry.register(receiver, token, interest, options);
      poll.registry.register({ register, reregister: register as never, deregister() {} }, 50, READABLE);
      return () => receiver.close();
    },
  },
  'a source that another Poll has as well': {
    code: 'ERR_SIDEPORT_NOT_MOVABLE',
    add(_poll, { server }) {
      const other = newPoll();
      other.registry.register(server, 50, READABLE);
      return () => other.close();
    },
  },
  'a lease that is not released': {
    code: 'ERR_SIDEPORT_LEASE_HELD',
    add(poll, pair) {
      writeAll(pair.poll, pair.client, Buffer.from('lent'));
      arrived(pair.server, 4, poll);
      const lease = pair.server.take();
      return () => lease?.release();
    },
  },
  'a wait that is pending': {
    code: 'ERR_SIDEPORT_POLL_BUSY',
    add(poll) {
      const aborter = new AbortController();
      // Settled by then: an edge of the stream is not reported twice.
      poll.poll(new Events(), 0);
      poll.wait(new Events(), undefined, { signal: aborter.signal }).catch(() => {});
      return () => aborter.abort();
    },
  },
};

for (const [what, { code, add }] of Object.entries(obstacles)) {
  test(`with ${what} a Poll does not move, nothing of it, and goes on; without it, it moves`, (t) => {
    using pair = new Pair(ioThread);
    const first = moved(pair);
    // Before and after the obstacle, so that either order of looking would meet something to undo.
    const timers = [new Timer(), new Timer()] as const;
    const listener = listen();
    first.registry.register(timers[0], 1, READABLE);
    const undo = add(first, pair);
    first.registry.register(timers[1], 2, READABLE);
    first.registry.register(listener, 3, READABLE);
    t.throws(() => first.detach(), { code });
    for (const source of [pair.server, listener, ...timers]) t.false(source.closed);
    undo();
    for (const timer of timers) timer.set(0);
    expectEvents(first, { token: 1, readable: true }, { token: 2, readable: true });
    writeAll(pair.poll, pair.client, Buffer.from('on'));
    expectEvents(first, { token: 7, readable: true });
    const { poll, sources } = move(first);
    const stream = sources.get(7) as TcpStream;
    t.is(readExactly(poll, stream, 2).toString(), 'on');
    for (const source of sources.values()) source.close();
    poll.close();
  });
}

test('a name is good for one attach, and what is no name is refused', (t) => {
  const first = newPoll();
  first.registry.register(Timer.after(0), 1, READABLE);
  const name = first.detach();
  const { poll, sources } = Poll.attach(name);
  for (const again of [name, structuredClone(name)]) {
    t.throws(() => Poll.attach(again), { code: 'ERR_SIDEPORT_TRANSFER_USED' });
  }
  for (const wrong of [undefined, null, {}, { sideport: 'detached-poll' }, 'x']) {
    t.throws(() => Poll.attach(wrong as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  expectEvents(poll, { token: 1, readable: true });
  for (const [, source] of sources) source.close();
  poll.close();
});

test('what is not registered does not go along', (t) => {
  using pair = new Pair(ioThread);
  const first = moved(pair);
  first.registry.deregister(pair.server);
  const name: DetachedPoll = first.detach();
  t.deepEqual(name.registrations, []);
  t.false(pair.server.closed);
  writeAll(pair.poll, pair.client, Buffer.from('x'));
  pair.poll.registry.register(pair.server, 2, BOTH);
  t.is(readExactly(pair.poll, pair.server, 1).toString(), 'x');
  Poll.attach(name).poll.close();
});
