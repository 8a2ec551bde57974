import test from 'ava';
import { channel, Events, Interest, Poll, PollOpt, Sender } from '../src/index.js';
import type { ChannelSenderData } from './fixtures/channel-sender.js';
import { awaitEvents, expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });
const { READABLE } = Interest;

test('values come in order, as copies; null and undefined are values', (t) => {
  using poll = newPoll();
  const { sender, receiver } = channel<unknown>({ ioThread });
  poll.registry.register(receiver, 1, READABLE);
  t.is(receiver.recv(), null);
  const values = [1, 'two', { three: [3] }, null, undefined, new Uint8Array([4])];
  for (const value of values) t.true(sender.trySend(value));
  expectEvents(poll, { token: 1, readable: true });
  for (const value of values) t.deepEqual(receiver.recv(), { value });
  t.is(receiver.recv(), null);
  t.is(poll.poll(new Events(), 0), 0);
  sender.close();
  receiver.close();
});

test('a bounded channel takes as many as it has places, and one more for each received', (t) => {
  const { sender, receiver } = channel<number>({ ioThread, capacity: 2 });
  t.true(sender.trySend(1));
  t.true(sender.trySend(2));
  t.false(sender.trySend(3));
  t.false(sender.send(3, 5));
  t.deepEqual(receiver.recv(), { value: 1 });
  t.true(sender.trySend(3));
  t.false(sender.trySend(4));
  t.deepEqual([receiver.recv(), receiver.recv(), receiver.recv()], [{ value: 2 }, { value: 3 }, null]);
  sender.close();
  receiver.close();
});

test('the end of the last sender is told once everything was sent; what was sent can still be received', (t) => {
  using poll = newPoll();
  const { sender, receiver } = channel<string>({ ioThread });
  const { sender: other, receiver: unrelated } = channel<string>({ ioThread });
  const second = Sender.from<string>(sender.share());
  poll.registry.register(receiver, 1, READABLE);
  sender.trySend('of the first');
  sender.close();
  sender.close();
  const [first] = expectEvents(poll, { token: 1, readable: true });
  t.false(first?.readClosed);
  t.deepEqual(receiver.recv(), { value: 'of the first' });
  t.false(receiver.ended);
  second.trySend('of the second');
  second.close();
  expectEvents(poll, { token: 1, readable: true, readClosed: true });
  t.false(receiver.ended);
  t.deepEqual(receiver.recv(), { value: 'of the second' });
  t.true(receiver.ended);
  t.is(receiver.recv(), null);
  t.throws(() => sender.trySend('late'), { code: 'ERR_SIDEPORT_CLOSED' });
  for (const one of [receiver, other, unrelated]) one.close();
});

test('a sender hears that the receiver is closed', (t) => {
  const { sender, receiver } = channel<number>({ ioThread });
  receiver.close();
  t.throws(() => sender.trySend(1), { code: 'ERR_SIDEPORT_CLOSED', message: 'The receiver is closed' });
  t.throws(() => sender.share(), { code: 'ERR_SIDEPORT_CLOSED' });
  t.throws(() => receiver.recv(), { code: 'ERR_SIDEPORT_CLOSED' });
  sender.close();
});

test('what cannot be copied takes no place', (t) => {
  const { sender, receiver } = channel<unknown>({ ioThread, capacity: 1 });
  t.throws(() => sender.trySend(() => {}), { any: true, name: 'DataCloneError' });
  t.true(sender.trySend('fits'));
  const bytes = new ArrayBuffer(8);
  receiver.recv();
  t.true(sender.trySend(bytes, [bytes]));
  t.is(bytes.byteLength, 0, 'moved');
  const moved = receiver.recv();
  t.true(moved?.value instanceof ArrayBuffer && moved.value.byteLength === 8);
  sender.close();
  receiver.close();
});

test('several threads send through a channel with few places; each one’s values come in order, and the end at last', async (t) => {
  using poll = newPoll();
  const { sender, receiver } = channel<{ name: string; at: number }>({ ioThread, capacity: 4 });
  poll.registry.register(receiver, 1, READABLE);
  const count = 500;
  const names = ['a', 'b', 'c'];
  const threads = names.map((name) => {
    const shared = sender.share();
    return threadWith({ sender: shared, name, count, closes: true });
  });
  sender.close();
  await Promise.all(threads.map(({ worker }) => new Promise((resolve) => worker.once('online', resolve))));
  const next = new Map(names.map((name) => [name, 0]));
  const events = new Events();
  while (!receiver.ended) {
    const received = receiver.recv();
    if (!received) {
      t.true(poll.poll(events, 10_000) > 0, 'a value or the end');
      continue;
    }
    const { name, at } = received.value;
    t.is(next.get(name), at);
    next.set(name, at + 1);
  }
  t.deepEqual([...next.values()], [count, count, count]);
  await Promise.all(threads.map((thread) => thread.finish()));
  receiver.close();
});

test('a thread that ends without closing its sender counts as having closed it', async (t) => {
  using poll = newPoll();
  const { sender, receiver } = channel<{ name: string; at: number }>({ ioThread });
  poll.registry.register(receiver, 1, READABLE, PollOpt.LEVEL);
  const thread = threadWith({ sender: sender.share(), name: 'a', count: 3, closes: false });
  sender.close();
  await thread.finish();
  await awaitEvents(poll, { token: 1, readable: true, readClosed: true });
  t.is([receiver.recv(), receiver.recv(), receiver.recv()].filter(Boolean).length, 3);
  t.true(receiver.ended);
  receiver.close();
});

test('bad arguments are refused', (t) => {
  for (const capacity of [0, -1, 1.5, Number.NaN]) {
    t.throws(() => channel({ ioThread, capacity }), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  t.throws(() => Sender.from({} as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
});

function threadWith(data: ChannelSenderData): TestThread {
  return new TestThread('channel-sender', data, [data.sender.port]);
}
