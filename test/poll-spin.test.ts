/** Polls that were asked to look for events before they sleep (`PollOptions.spinUs`). */
import test from 'ava';
import { Awakener, Events, IoThread, Poll, type TcpStream } from '../src/index.js';
import type { WakerData } from './fixtures/waker.js';
import { ioThreadFor } from './util/io-thread.js';
import { Pair } from './util/streams.js';
import { Barrier, PATIENCE_MS, TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
const TIMES = 500;

test('how long to look is a number of microseconds, at most a second', (t) => {
  for (const spinUs of [-1, 0.5, 1_000_001, Number.NaN, '50']) {
    t.throws(() => new Poll({ ioThread, spinUs: spinUs as number }), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  const name = new Poll({ ioThread }).detach();
  t.throws(() => Poll.attach(name, { spinUs: -1 }), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  const { poll, sources } = Poll.attach(name, { spinUs: 50 });
  t.deepEqual(sources, [], 'and the name was still good');
  poll.close();
});

test('such a Poll keeps its time-outs', async (t) => {
  using poll = new Poll({ ioThread, spinUs: 1000 });
  const events = new Events();
  for (const timeoutMs of [0, 1, 20]) {
    const beganMs = performance.now();
    t.is(poll.poll(events, timeoutMs), 0);
    t.is(await poll.wait(events, timeoutMs), 0);
    t.true(performance.now() - beganMs >= 2 * timeoutMs);
  }
});

test('the time for which it looks is part of its time-out', (t) => {
  using poll = new Poll({ ioThread, spinUs: 10_000 });
  const slept: number[] = [];
  // A clock that goes on by a millisecond with every look at it, and by as much as the thread is told to sleep.
  let nowMs = 0;
  const { now } = performance;
  const { wait } = Atomics;
  performance.now = () => ++nowMs;
  Atomics.wait = ((_words: unknown, _at: unknown, _value: unknown, timeoutMs: number) => {
    slept.push(timeoutMs);
    nowMs += timeoutMs;
    return 'timed-out';
  }) as typeof Atomics.wait;
  try {
    t.is(poll.poll(new Events(), 15), 0);
  } finally {
    performance.now = now;
    Atomics.wait = wait;
  }
  t.is(slept.length, 1);
  t.true((slept[0] as number) <= 5, `10 of 15 ms it looked, and then slept for ${slept}`);
});

test('it is woken by other threads, while it looks and when it sleeps after all', async (t) => {
  for (const [spinUs, whenAsleep] of [
    [1_000_000, false],
    [50, true],
  ] as const) {
    using poll = new Poll({ ioThread, spinUs });
    using awakener = new Awakener(poll.registry, 7);
    const wakes = new Barrier();
    const data: WakerData = { awakener: awakener.share(), wakes: wakes.words, times: TIMES, whenAsleep };
    const thread = new TestThread('waker', data);
    const events = new Events();
    for (let turn = 0; wakes.count < TIMES; turn++) {
      const count = turn % 2 === 0 ? poll.poll(events, PATIENCE_MS) : await poll.wait(events, PATIENCE_MS);
      if (count !== 1 || [...events][0]?.token !== 7) t.fail(`${count} events`);
    }
    await thread.finish();
  }
  t.pass();
});

test('what it has written is sent while it looks', async (t) => {
  using pair = new Pair(ioThread);
  const name = pair.poll.detach();
  const { poll, sources } = Poll.attach(name, { spinUs: 1_000_000 });
  const [client, server] = sources.map(([, source]) => source as TcpStream) as [TcpStream, TcpStream];
  const events = new Events();
  const into = Buffer.alloc(8);
  const ping = async (from: TcpStream, to: TcpStream, number: number) => {
    const message = Buffer.from(String(number).padStart(into.length));
    t.is(from.write(message), into.length);
    for (let got = to.read(into); got === null; got = to.read(into)) {
      if ((number % 2 === 0 ? poll.poll(events, PATIENCE_MS) : await poll.wait(events, PATIENCE_MS)) === 0) {
        throw new Error('nothing came');
      }
    }
    t.deepEqual(into, message);
  };
  for (let number = 0; number < 200; number++) {
    await ping(client, server, number);
    await ping(server, client, number);
  }
  client.close();
  server.close();
  poll.close();
});

test('its waits leave the event loop its turns, however soon events come', async (t) => {
  using poll = new Poll({ ioThread, spinUs: 1_000_000 });
  using awakener = new Awakener(poll.registry, 1);
  const wakes = new Barrier();
  const data: WakerData = { awakener: awakener.share(), wakes: wakes.words, times: TIMES, whenAsleep: false };
  const thread = new TestThread('waker', data);
  const events = new Events();
  let [since, most] = [0, 0];
  let going = true;
  const turn = () => {
    since = 0;
    if (going) setImmediate(turn);
  };
  setImmediate(turn);
  while (wakes.count < TIMES) {
    await poll.wait(events, PATIENCE_MS);
    most = Math.max(most, ++since);
  }
  going = false;
  await thread.finish();
  t.true(most <= 17, `${most} waits in a row`);
});

test('it notices the end of its I/O thread', async (t) => {
  const own = IoThread.start();
  const poll = new Poll({ ioThread: own, spinUs: 1000 });
  const waiting = t.throwsAsync(poll.wait(new Events()), { code: 'ERR_SIDEPORT_IO_THREAD_GONE' });
  await own.close();
  await waiting;
  t.throws(() => poll.poll(new Events()), { code: 'ERR_SIDEPORT_IO_THREAD_GONE' });
});
