import test from 'ava';
import { Events, Interest, Poll, PollOpt, Timer } from '../src/index.js';
import { awaitEvents, expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });
const { READABLE } = Interest;

test('a one-shot timer expires once, not before its time', (t) => {
  using poll = newPoll();
  using timer = Timer.after(30);
  const setMs = performance.now();
  poll.registry.register(timer, 5, READABLE);
  t.is(timer.read(), null);
  expectEvents(poll, { token: 5, readable: true });
  // Two threads' clocks are compared: a hair of slack.
  t.true(performance.now() - setMs >= 30 - 1);
  t.is(timer.read(), 1);
  t.is(timer.read(), null);
  t.is(poll.poll(new Events(), 20), 0);
});

test('an interval counts what its reader has missed', (t) => {
  using poll = newPoll();
  using timer = Timer.every(5);
  poll.registry.register(timer, 0, READABLE);
  let expirations = 0;
  while (expirations < 20) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 12);
    expectEvents(poll, { token: 0, readable: true });
    expirations += timer.read() ?? 0;
  }
  t.true(expirations >= 20);
});

test('an interval keeps its beat: expiries are not fewer than the time allows, nor more', (t) => {
  using poll = newPoll();
  using timer = new Timer();
  poll.registry.register(timer, 0, READABLE);
  const setMs = performance.now();
  timer.set(10, 10);
  let count = 0;
  while (count < 10) {
    expectEvents(poll, { token: 0, readable: true });
    count += timer.read() ?? 0;
  }
  const elapsedMs = performance.now() - setMs;
  t.true(count <= elapsedMs / 10 + 0.2, `${count} in ${elapsedMs} ms`);
});

test('time runs from the setting, also before the registration', (t) => {
  using poll = newPoll();
  using timer = Timer.after(0);
  using late = Timer.after(2 ** 31 - 1);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  poll.registry.register(timer, 1, READABLE);
  poll.registry.register(late, 2, READABLE);
  const seen = expectEvents(poll, { token: 1, readable: true });
  t.deepEqual(
    seen.map(({ token }) => token),
    [1],
  );
});

test('setting a timer anew forgets what it was set to, and what has expired', (t) => {
  using poll = newPoll();
  using timer = Timer.after(0);
  poll.registry.register(timer, 0, READABLE);
  expectEvents(poll, { token: 0, readable: true });
  timer.set(2 ** 30);
  t.is(timer.read(), null);
  t.is(poll.poll(new Events(), 0), 0);
  for (let round = 0; round < 200; round++) {
    // The first may have expired already, on the other thread, when the second is set.
    timer.set(0);
    timer.set(0, 2 ** 30);
    expectEvents(poll, { token: 0, readable: true });
    t.is(timer.read(), 1, `round ${round}`);
  }
});

test('a timer that was cancelled does not expire, and can be set again', (t) => {
  using poll = newPoll();
  using timer = Timer.every(1);
  using later = new Timer();
  poll.registry.register(timer, 1, READABLE);
  poll.registry.register(later, 2, READABLE);
  expectEvents(poll, { token: 1, readable: true });
  timer.cancel();
  later.set(30);
  const seen = expectEvents(poll, { token: 2, readable: true });
  t.true(seen.every(({ token }) => token === 2));
  t.is(timer.read(), null);
  timer.set(1);
  expectEvents(poll, { token: 1, readable: true });
});

test('of many timers each expires, and none before its time', (t) => {
  using poll = newPoll();
  const timers = Array.from({ length: 200 }, (_, token) => {
    const timer = new Timer();
    poll.registry.register(timer, token, READABLE);
    return timer;
  });
  const dueMs = timers.map((timer, at) => {
    const delayMs = 1 + ((at * 77) % 50);
    // Before it is set: this thread may lose the processor right after.
    const fromMs = performance.now();
    timer.set(delayMs);
    return fromMs + delayMs;
  });
  const events = new Events();
  const expired = new Set<number>();
  while (expired.size < timers.length) {
    poll.poll(events, 10_000);
    for (const { token } of events) {
      t.is(timers[token]?.read(), 1);
      // A hair of slack for what comparing two clocks costs.
      t.true(performance.now() >= (dueMs[token] ?? 0) - 1);
      t.false(expired.has(token));
      expired.add(token);
    }
  }
  for (const timer of timers) timer.close();
});

test('level tells again until it was read, oneshot only once', (t) => {
  using poll = newPoll();
  using level = Timer.after(0);
  using once = Timer.every(1);
  poll.registry.register(level, 1, READABLE, PollOpt.LEVEL);
  for (let time = 0; time < 3; time++) expectEvents(poll, { token: 1, readable: true });
  level.read();
  t.is(poll.poll(new Events(), 0), 0);
  poll.registry.register(once, 2, READABLE, PollOpt.EDGE | PollOpt.ONESHOT);
  expectEvents(poll, { token: 2, readable: true });
  t.is(poll.poll(new Events(), 20), 0);
  poll.registry.reregister(once, 3, READABLE);
  expectEvents(poll, { token: 3, readable: true });
});

test('a wait is settled by a timer while nothing else happens', async (t) => {
  using poll = newPoll();
  using timer = Timer.after(10);
  poll.registry.register(timer, 0, READABLE);
  await awaitEvents(poll, { token: 0, readable: true });
  t.is(timer.read(), 1);
});

test('bad times are refused; fractions round up', (t) => {
  for (const bad of [-1, Number.NaN, 2 ** 31, '1' as unknown as number]) {
    t.throws(() => Timer.after(bad), { code: 'ERR_SIDEPORT_INVALID_ARG' });
    t.throws(() => new Timer().set(1, bad), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  using poll = newPoll();
  using timer = Timer.after(0.2);
  poll.registry.register(timer, 0, READABLE);
  expectEvents(poll, { token: 0, readable: true });
  timer.close();
  t.throws(() => timer.set(1), { code: 'ERR_SIDEPORT_CLOSED' });
  t.throws(() => timer.read(), { code: 'ERR_SIDEPORT_CLOSED' });
});

test('a timer moves, set or not, to this thread or another: what has expired and was not read counts, its beat goes on', async (t) => {
  using poll = newPoll();
  const timer = Timer.every(1);
  poll.registry.register(timer, 1, READABLE);
  expectEvents(poll, { token: 1, readable: true });
  const name = structuredClone(timer.detach());
  t.true(timer.closed);
  t.throws(() => timer.detach(), { code: 'ERR_SIDEPORT_CLOSED' });
  using moved = Timer.attach(name);
  t.throws(() => Timer.attach(name), { code: 'ERR_SIDEPORT_TRANSFER_USED' });
  t.throws(() => Timer.attach({} as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  t.true((moved.read() ?? 0) >= 1, 'it had expired');
  poll.registry.register(moved, 2, READABLE);
  expectEvents(poll, { token: 2, readable: true });
  t.true((moved.read() ?? 0) >= 1, 'and does again');
  const worker = new TestThread<number>('timer-heir', { ioThread: ioThread.share(), name: Timer.after(1).detach() });
  t.is(await worker.finish(), 1);
  using unset = Timer.attach(new Timer().detach());
  poll.registry.register(unset, 3, READABLE);
  unset.set(0);
  expectEvents(poll, { token: 3, readable: true });
});

test('a timer that is detached again and again counts each expiry once', (t) => {
  using poll = newPoll();
  const startedMs = performance.now();
  let timer = Timer.every(2);
  let count = 0;
  const events = new Events();
  for (let round = 0; round < 50; round++) {
    poll.registry.register(timer, round, READABLE);
    poll.poll(events, 3);
    if (round % 2 === 0) count += timer.read() ?? 0;
    timer = Timer.attach(timer.detach());
  }
  poll.registry.register(timer, 0, READABLE);
  expectEvents(poll, { token: 0, readable: true });
  // At least this much time has passed when it is read, and no more afterwards.
  const before = Math.floor((performance.now() - startedMs) / 2);
  count += timer.read() ?? 0;
  t.true(count >= 1 && count <= Math.ceil((performance.now() - startedMs) / 2), `${count}`);
  t.true(before >= count - 1);
  timer.close();
});

test('a one-shot timer that has expired and was read does not expire again where it goes', (t) => {
  using poll = newPoll();
  const timer = Timer.after(0);
  poll.registry.register(timer, 1, READABLE);
  expectEvents(poll, { token: 1, readable: true });
  t.is(timer.read(), 1);
  using moved = Timer.attach(timer.detach());
  poll.registry.register(moved, 2, READABLE);
  t.is(poll.poll(new Events(), 20), 0);
  t.is(moved.read(), null);
});
