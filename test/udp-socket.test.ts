import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import test from 'ava';
import { Events, Interest, Poll, type SystemError, UdpSocket } from '../src/index.js';
import { bindUdp, drainTo, endpointOf, type Got, LOOPBACK, receive, sendAll, UdpPair } from './util/datagrams.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { underWine, unless } from './util/platform.js';

// Send buffers that a datagram can be larger than.
const ioThread = ioThreadFor(test, { sendBufferSize: 16_384 });
const newPoll = () => new Poll({ ioThread });
const text = (string: string) => Buffer.from(string);

test('datagrams come whole, in order, each with its sender', (t) => {
  using pair = new UdpPair(ioThread);
  const sent = Array.from({ length: 300 }, (_, at) => `${at}:${'x'.repeat(at * 5)}`);
  const got: Got[] = [];
  // In portions that the kernel's buffer holds.
  for (let at = 0; at < sent.length; at += 30) {
    for (const one of sent.slice(at, at + 30)) pair.send(one);
    got.push(...pair.receive(30));
  }
  t.deepEqual(
    got.map((one) => one.text),
    sent,
  );
  t.true(got.every(({ received }) => received.from.port === pair.a.localAddress().port && !received.truncated));
  t.is(pair.b.recvFrom(Buffer.alloc(1)), null);
});

test('an empty datagram is a datagram', (t) => {
  using pair = new UdpPair(ioThread);
  for (const one of ['first', '', '', 'last']) pair.send(one);
  t.is(pair.a.sendTo(new Uint8Array(0), endpointOf(pair.b)), 0);
  const got = pair.receive(5);
  t.deepEqual(
    got.map((one) => [one.text, one.received.length]),
    [
      ['first', 5],
      ['', 0],
      ['', 0],
      ['last', 4],
      ['', 0],
    ],
  );
  pair.send('');
  expectEvents(pair.poll, { token: 2, readable: true });
  t.is(pair.b.recv(Buffer.alloc(9)), 0);
  pair.send('');
  expectEvents(pair.poll, { token: 2, readable: true });
  using taken = pair.b.take();
  t.is(taken?.length, 0);
});

test('a datagram that is longer than the buffer given is truncated, which is said, and the next one is whole', (t) => {
  using pair = new UdpPair(ioThread);
  for (const one of ['abcdef', 'abcdef', 'abc', 'end']) pair.send(one);
  const into = Buffer.alloc(3);
  const [first] = receive(pair.poll, pair.b, 1, 3);
  t.deepEqual([first?.text, first?.received.truncated], ['abc', true]);
  drainOne(pair);
  const error = t.throws(() => pair.b.recv(into)) as SystemError;
  t.is(error.code, 'EMSGSIZE');
  t.is(into.toString(), 'abc', 'what fits is there');
  const [third] = pair.receive(1);
  t.deepEqual([third?.text, third?.received.truncated], ['abc', false]);
  t.is(pair.receive(1)[0]?.text, 'end');
});

/** Waits for one datagram without reading it. */
function drainOne(pair: UdpPair): void {
  const events = new Events();
  while (pair.b.peekFrom(new Uint8Array(0)) === null) pair.poll.poll(events, 1000);
}

test('a datagram that is longer than a datagram buffer is truncated to it, which is said however it is read', (t) => {
  using pair = new UdpPair(ioThread);
  const long = Buffer.alloc(5000, 'y');
  for (let time = 0; time < 3; time++) pair.send(long);
  pair.send('short');
  const [first] = pair.receive(1);
  t.deepEqual([first?.received.length, first?.received.truncated], [1920, true]);
  drainOne(pair);
  t.throws(() => pair.b.recv(Buffer.alloc(9000)), { code: 'EMSGSIZE' });
  drainOne(pair);
  const taken = pair.b.take();
  t.deepEqual([taken?.length, taken?.truncated], [1920, true]);
  taken?.release();
  const [last] = pair.receive(1);
  t.deepEqual([last?.text, last?.received.truncated], ['short', false]);
});

test('a datagram that no UDP packet carries is refused at the call', (t) => {
  using pair = new UdpPair(ioThread);
  t.throws(() => pair.a.sendTo(Buffer.alloc(65_508), endpointOf(pair.b)), { code: 'EMSGSIZE' });
});

test('sends larger than a send buffer arrive whole at a socket of node:dgram', async (t) => {
  const receiver = createSocket('udp4');
  receiver.bind(0, LOOPBACK);
  await once(receiver, 'listening');
  using poll = newPoll();
  using socket = bindUdp();
  poll.registry.register(socket, 0, Interest.WRITABLE);
  for (const length of [16_352, 16_353, 16_384, 32_704, 40_001, 65_507]) {
    const bytes = Buffer.from(Uint8Array.from({ length }, (_, at) => at % 251));
    const message = once(receiver, 'message');
    sendAll(poll, socket, bytes, { host: LOOPBACK, port: receiver.address().port });
    const [got] = (await message) as [Buffer];
    t.true(got.equals(bytes), `${length} bytes`);
  }
  receiver.close();
});

test('peeking leaves the datagram, taking lends it where it lies', (t) => {
  using pair = new UdpPair(ioThread);
  pair.send('look');
  expectEvents(pair.poll, { token: 2, readable: true });
  const into = Buffer.alloc(8);
  for (let time = 0; time < 2; time++) {
    t.is(pair.b.peek(into), 4);
    t.is(pair.b.peekFrom(into)?.from.port, pair.a.localAddress().port);
  }
  const taken = pair.b.take();
  t.is(pair.b.peek(into), null);
  t.true(taken?.bytes.buffer instanceof SharedArrayBuffer);
  t.is(Buffer.from(taken?.copy() ?? []).toString(), 'look');
  t.is(taken?.from.address, LOOPBACK);
  taken?.release();
  taken?.release();
  t.throws(() => taken?.bytes, { code: 'ERR_SIDEPORT_LEASE_RELEASED' });
  t.throws(() => taken?.from, { code: 'ERR_SIDEPORT_LEASE_RELEASED' });
});

test('a datagram arrives between its sending and its reading, by the reader’s clock', (t) => {
  using pair = new UdpPair(ioThread);
  const beforeMs = performance.now();
  pair.send('a');
  const [got] = pair.receive(1);
  const afterMs = performance.now();
  // The clocks of two threads are compared: a little slack for what that costs.
  const arrivedMs = got?.received.arrivedMs ?? 0;
  t.true(arrivedMs > beforeMs - 1 && arrivedMs < afterMs + 1, `${beforeMs} ${arrivedMs} ${afterMs}`);
});

test('a stalled reader finds the times of arrival, not of reading', (t) => {
  using pair = new UdpPair(ioThread);
  pair.send('before');
  pair.receive(1);
  pair.send('stalled');
  expectEvents(pair.poll, { token: 2, readable: true });
  const arrivedBeforeMs = performance.now();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  const [got] = pair.receive(1);
  t.true((got?.received.arrivedMs ?? Number.POSITIVE_INFINITY) < arrivedBeforeMs + 1);
});

test('a socket sends before it is registered, and what comes before is received after', (t) => {
  using poll = newPoll();
  using a = bindUdp();
  using b = bindUdp();
  t.is(a.sendTo(text('early'), endpointOf(b)), 5);
  t.is(b.recvFrom(Buffer.alloc(9)), null, 'nothing is ready unless registered');
  poll.registry.register(b, 0, Interest.READABLE);
  expectEvents(poll, { token: 0, readable: true });
  t.is(receive(poll, b, 1)[0]?.text, 'early');
});

test('connected: send goes to the peer, others are not heard; reconnecting changes that', (t) => {
  using pair = new UdpPair(ioThread);
  using other = bindUdp();
  pair.poll.registry.register(other, 3, Interest.READABLE | Interest.WRITABLE);
  t.throws(() => pair.a.send(text('nowhere')), { code: 'ENOTCONN' });
  t.throws(() => pair.a.peerAddress(), { code: 'ENOTCONN' });
  pair.a.connect(endpointOf(pair.b));
  t.is(pair.a.peerAddress().port, pair.b.localAddress().port);
  t.is(pair.a.send(text('to b')), 4);
  t.is(pair.receive(1)[0]?.text, 'to b');
  // The kernel discards what is not the peer's; the peer's own comes after it.
  sendAll(pair.poll, other, text('from a stranger'), endpointOf(pair.a));
  sendAll(pair.poll, pair.b, text('from b'), endpointOf(pair.a));
  t.is(receive(pair.poll, pair.a, 1)[0]?.text, 'from b');
  pair.a.connect(endpointOf(other));
  t.is(pair.a.send(text('to other')), 8);
  t.is(receive(pair.poll, other, 1)[0]?.text, 'to other');
});

unless(underWine, 'under Wine a disconnect takes a port that the system chose, too')(
  'a disconnected socket hears anyone again, at the port it had',
  (t) => {
    using pair = new UdpPair(ioThread);
    const before = pair.a.localAddress();
    pair.a.connect({ host: LOOPBACK, port: 9 });
    pair.a.disconnect();
    t.deepEqual(pair.a.localAddress(), before);
    t.throws(() => pair.a.send(text('nowhere')), { code: 'ENOTCONN' });
    pair.a.sendTo(text('from a'), endpointOf(pair.b));
    t.is(pair.receive(1)[0]?.text, 'from a');
    sendAll(pair.poll, pair.b, text('anyone'), endpointOf(pair.a));
    t.is(receive(pair.poll, pair.a, 1)[0]?.text, 'anyone');
  },
);

test('what was sent before a reconnect goes to the peer before', (t) => {
  using pair = new UdpPair(ioThread);
  using other = bindUdp();
  pair.poll.registry.register(other, 3, Interest.READABLE);
  for (let round = 0; round < 20; round++) {
    pair.a.connect(endpointOf(pair.b));
    pair.a.send(text(`b ${round}`));
    pair.a.connect(endpointOf(other));
    pair.a.send(text(`other ${round}`));
  }
  t.deepEqual(
    pair.receive(20).map((one) => one.text),
    Array.from({ length: 20 }, (_, round) => `b ${round}`),
  );
  t.is(receive(pair.poll, other, 20).length, 20);
});

const told = unless(underWine, 'Wine does not tell a socket that nobody listens where it sent to');
told('that nobody listens there is an error, once, and never a datagram; the socket goes on', (t) => {
  using pair = new UdpPair(ioThread);
  const gone = bindUdp();
  const nowhere = endpointOf(gone);
  gone.close();
  pair.a.connect(nowhere);
  pair.a.send(text('is anybody there?'));
  expectEvents(pair.poll, { token: 1, error: true, readable: true });
  const error = t.throws(() => pair.a.recvFrom(Buffer.alloc(9))) as SystemError;
  t.is(error.code, 'ECONNREFUSED');
  t.is(pair.a.takeError(), null);
  t.is(pair.a.recvFrom(Buffer.alloc(9)), null);
  // Every second send meets the error of the one before and is tried again: the count of errors tells nothing, the socket lives.
  for (let time = 0; time < 5; time++) {
    try {
      pair.a.send(text('again'));
    } catch (again) {
      t.is((again as SystemError).code, 'ECONNREFUSED');
    }
    pair.poll.poll(new Events(), 20);
  }
  pair.a.connect(endpointOf(pair.b));
  pair.a.takeError();
  while (pair.a.takeError()) t.pass();
  t.is(pair.a.send(text('now there is')), 12);
  t.deepEqual(
    pair.receive(1).map((one) => [one.text, one.received.length]),
    [['now there is', 12]],
  );
});

test('an unconnected socket hears nothing of ports where nobody listens', (t) => {
  using pair = new UdpPair(ioThread);
  const gone = bindUdp();
  const nowhere = endpointOf(gone);
  gone.close();
  for (let time = 0; time < 10; time++) sendAll(pair.poll, pair.a, text('void'), nowhere);
  t.deepEqual(drainTo(pair), []);
  t.is(pair.a.takeError(), null);
  t.is(pair.a.recvFrom(Buffer.alloc(9)), null);
});

test('a thousand sends in flight all arrive', (t) => {
  using pair = new UdpPair(ioThread);
  pair.b.setReceiveBufferSize(4 * 2 ** 20);
  let received = 0;
  for (let sent = 0; sent < 5000; ) {
    for (let batch = 0; batch < 100; batch++, sent++) pair.send(`${sent}`);
    for (const { text: got } of pair.receive(100)) t.is(got, `${received++}`);
  }
  t.is(received, 5000);
});

test('bytes that the kernel refuses are an error of a later call, and those behind them are sent', (t) => {
  using pair = new UdpPair(ioThread);
  // Broadcasting must be allowed first.
  t.false(pair.a.getBroadcast());
  sendAll(pair.poll, pair.a, text('refused'), { host: '255.255.255.255', port: 9 });
  expectEvents(pair.poll, { token: 1, error: true });
  t.is(pair.a.takeError()?.code, 'EACCES');
  pair.send('after');
  t.is(pair.receive(1)[0]?.text, 'after');
});

test('a writable socket without room is writable again when the kernel has taken what was sent', (t) => {
  using pair = new UdpPair(ioThread);
  const bytes = Buffer.alloc(60_000);
  let refused = 0;
  for (let time = 0; time < 200; time++) {
    if (pair.a.sendTo(bytes, endpointOf(pair.b)) !== null) continue;
    refused++;
    expectEvents(pair.poll, { token: 1, writable: true });
  }
  t.true(refused > 0, 'the high-water mark was met');
});

test('closing delivers what was sent right before', (t) => {
  using poll = newPoll();
  using b = bindUdp();
  poll.registry.register(b, 0, Interest.READABLE);
  const a = bindUdp();
  poll.registry.register(a, 1, Interest.WRITABLE);
  for (let at = 0; at < 50; at++) t.is(a.sendTo(text(`${at}`), endpointOf(b)), `${at}`.length);
  a.close();
  t.deepEqual(
    receive(poll, b, 50).map((one) => one.text),
    Array.from({ length: 50 }, (_, at) => `${at}`),
  );
});

test('after close every call says so, and leases are over', (t) => {
  const pair = new UdpPair(ioThread);
  pair.send('held');
  expectEvents(pair.poll, { token: 2, readable: true });
  const held = pair.b.take();
  pair[Symbol.dispose]();
  t.throws(() => held?.bytes, { code: 'ERR_SIDEPORT_LEASE_RELEASED' });
  for (const call of [
    () => pair.b.recvFrom(Buffer.alloc(1)),
    () => pair.b.send(Buffer.alloc(1)),
    () => pair.b.take(),
    () => pair.b.localAddress(),
    () => pair.b.multicast.setLoop(true),
  ]) {
    const error = t.throws(call) as NodeJS.ErrnoException;
    t.true(error.code === 'ERR_SIDEPORT_CLOSED' || error.code === 'ENOTCONN', error.code);
  }
  t.true(pair.b.closed);
});

test('bad arguments are coded errors at the call', (t) => {
  using pair = new UdpPair(ioThread);
  for (const host of ['localhost', '', undefined as unknown as string]) {
    t.throws(() => UdpSocket.bind({ host, port: 0 }), { code: 'ERR_SIDEPORT_INVALID_ADDRESS' });
    t.throws(() => pair.a.sendTo(text('x'), { host, port: 1 }), { code: 'ERR_SIDEPORT_INVALID_ADDRESS' });
    t.throws(() => pair.a.connect({ host, port: 1 }), { code: 'ERR_SIDEPORT_INVALID_ADDRESS' });
  }
  t.throws(() => pair.a.sendTo(text('x'), { host: '::1', port: 1 }), { code: 'ERR_SIDEPORT_INVALID_ADDRESS' });
  for (const port of [0, -1, 65_536, 1.5]) {
    t.throws(() => pair.a.sendTo(text('x'), { host: LOOPBACK, port }), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  const notBytes = 'bytes' as unknown as Uint8Array;
  t.throws(() => pair.a.sendTo(notBytes, endpointOf(pair.b)), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  t.throws(() => pair.a.recvFrom(notBytes), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  const taken = t.throws(() => UdpSocket.bind({ host: LOOPBACK, port: pair.a.localAddress().port })) as SystemError;
  t.deepEqual([taken.code, taken.syscall, taken.port], ['EADDRINUSE', 'bind', pair.a.localAddress().port]);
});

test('IPv6: the sender’s address, and its scope, come back', (t) => {
  using pair = new UdpPair(ioThread, '::1');
  pair.send('six');
  const [got] = pair.receive(1);
  t.deepEqual(got?.received.from, { address: '::1', family: 'IPv6', port: pair.a.localAddress().port });
});

test('IPv6: a peer is taken away again', (t) => {
  using pair = new UdpPair(ioThread, '::1');
  pair.a.connect(endpointOf(pair.b));
  t.is(pair.a.send(text('connected')), 9);
  pair.a.disconnect();
  t.throws(() => pair.a.send(text('nowhere')), { code: 'ENOTCONN' });
  t.is(pair.a.sendTo(text('not connected'), endpointOf(pair.b)), 13);
  t.deepEqual(
    pair.receive(2).map((one) => one.text),
    ['connected', 'not connected'],
  );
});

test('a deregistered socket keeps what it has, and goes on when it is registered again', (t) => {
  using pair = new UdpPair(ioThread);
  pair.send('one');
  expectEvents(pair.poll, { token: 2, readable: true });
  pair.poll.registry.deregister(pair.b);
  pair.send('two');
  t.is(pair.b.recv(Buffer.alloc(9)), 3);
  pair.poll.registry.register(pair.b, 7, Interest.READABLE);
  const got = receive(pair.poll, pair.b, 1);
  t.is(got[0]?.text, 'two');
});
