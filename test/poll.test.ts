import { once } from 'node:events';
import test from 'ava';
import { Awakener, Events, Interest, Poll, PollOpt } from '../src/index.js';
import type { InterrupterData } from './fixtures/interrupter.js';
import type { WakerData } from './fixtures/waker.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { connectTo, listen, Pair } from './util/streams.js';
import { Barrier, PATIENCE_MS, TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });

test('a poll with nothing registered returns no event, and not before its time-out', (t) => {
  using poll = newPoll();
  const events = new Events();
  for (const timeoutMs of [0, 0.25, 1, 20]) {
    const beganMs = performance.now();
    t.is(poll.poll(events, timeoutMs), 0);
    t.true(performance.now() - beganMs >= timeoutMs);
    t.true(events.isEmpty);
    t.false(events.interrupted);
  }
});

test('a wait does not resolve without an event before its time-out', async (t) => {
  using poll = newPoll();
  const events = new Events();
  for (const timeoutMs of [0, 1, 20]) {
    const beganMs = performance.now();
    t.is(await poll.wait(events, timeoutMs), 0);
    t.true(performance.now() - beganMs >= timeoutMs);
  }
});

test("what wakes the thread for another Poll does not end a Poll's poll", async (t) => {
  using mine = newPoll();
  using other = newPoll();
  using awakener = new Awakener(other.registry, 1);
  const wakes = new Barrier();
  const data: WakerData = { awakener: awakener.share(), wakes: wakes.words, times: 5, whenAsleep: true };
  const thread = new TestThread('waker', data);
  const events = new Events();
  const beganMs = performance.now();
  while (wakes.count < data.times) t.is(mine.poll(events, 50), 0);
  t.true(performance.now() - beganMs >= 50);
  t.is(other.poll(events, 0), 1, 'and the other Poll has not lost it');
  await thread.finish();
});

test('an interrupt before a poll ends it, once', (t) => {
  using poll = newPoll();
  const events = new Events();
  poll.interrupt();
  poll.interrupt();
  t.is(poll.poll(events), 0);
  t.true(events.interrupted);
  t.is(poll.poll(events, 0), 0);
  t.false(events.interrupted);
});

test('another thread interrupts a poll that blocks, and a wait', async (t) => {
  using poll = newPoll();
  const events = new Events();
  for (const blocking of [true, false]) {
    const thread = new TestThread('interrupter', { poll: poll.share() } satisfies InterrupterData);
    const count = blocking ? poll.poll(events) : await poll.wait(events);
    t.is(count, 0);
    t.true(events.interrupted);
    await thread.finish();
  }
});

test('an interrupt does not hide events', (t) => {
  using poll = newPoll();
  using awakener = new Awakener(poll.registry, 9);
  awakener.wake();
  poll.interrupt();
  const events = new Events();
  t.is(poll.poll(events), 1);
  t.true(events.interrupted);
});

for (const options of [PollOpt.EDGE, PollOpt.LEVEL]) {
  const name = options === PollOpt.EDGE ? 'edge' : 'level';
  test(`with room for one event every source has its turn (${name})`, (t) => {
    using poll = newPoll();
    const awakeners = [0, 1, 2].map((token) => new Awakener(poll.registry, token));
    using pair = new Pair(ioThread);
    poll.registry.register(pair.client, 3, Interest.WRITABLE, options);
    poll.registry.register(pair.server, 4, Interest.WRITABLE, options);
    for (const awakener of awakeners) awakener.wake();
    const events = new Events(1);
    const tokens = new Set<number>();
    for (let turn = 0; turn < 5; turn++) {
      t.is(poll.poll(events, PATIENCE_MS), 1);
      for (const { token } of events) tokens.add(token);
    }
    t.is(tokens.size, 5, 'five polls, five sources');
    for (const awakener of awakeners) awakener.close();
  });
}

test('events hold values: they do not change when the source does', (t) => {
  using pair = new Pair(ioThread);
  pair.client.write(Buffer.from('x'));
  const events = new Events();
  do pair.poll.poll(events, PATIENCE_MS);
  while (![...events].some((event) => event.token === 2 && event.isReadable));
  const event = [...events].find(({ token }) => token === 2);
  pair.server.read(Buffer.alloc(8));
  t.true(event?.isReadable);
  events.clear();
  t.is(events.length, 0);
});

test('a second wait, or a poll, on a Poll that is being waited on is refused; the first goes on', async (t) => {
  using poll = newPoll();
  using awakener = new Awakener(poll.registry, 1);
  const events = new Events();
  const first = poll.wait(events);
  t.throws(() => poll.poll(new Events(), 0), { code: 'ERR_SIDEPORT_POLL_BUSY' });
  await t.throwsAsync(poll.wait(new Events()), { code: 'ERR_SIDEPORT_POLL_BUSY' });
  awakener.wake();
  t.is(await first, 1);
  t.is(poll.poll(events, 0), 0, 'and then the Poll is free again');
});

test('different Polls of a thread are waited on at once, each for its own', async (t) => {
  const polls = [newPoll(), newPoll(), newPoll()];
  const awakeners = polls.map((poll, token) => new Awakener(poll.registry, token));
  const buffers = polls.map(() => new Events());
  const waits = polls.map((poll, at) => poll.wait(buffers[at] as Events));
  for (const awakener of awakeners.toReversed()) awakener.wake();
  t.deepEqual(await Promise.all(waits), [1, 1, 1]);
  t.deepEqual(
    buffers.map((events) => [...events].map(({ token }) => token)),
    [[0], [1], [2]],
  );
  for (const awakener of awakeners) awakener.close();
  for (const poll of polls) poll.close();
});

test('one Poll blocks while another is awaited: neither loses an event', async (t) => {
  using blocked = newPoll();
  using awaited = newPoll();
  using first = new Awakener(blocked.registry, 1);
  using second = new Awakener(awaited.registry, 2);
  const times = 500;
  const makeWaker = (awakener: Awakener) => {
    const wakes = new Barrier();
    const data: WakerData = { awakener: awakener.share(), wakes: wakes.words, times, whenAsleep: false };
    return { wakes, thread: new TestThread('waker', data) };
  };
  const [one, two] = [makeWaker(first), makeWaker(second)];
  let [servedOne, servedTwo] = [0, 0];
  const awaiting = (async () => {
    const events = new Events();
    while (servedTwo < times) {
      t.is(await awaited.wait(events, PATIENCE_MS), 1);
      servedTwo = two.wakes.count;
    }
  })();
  const events = new Events();
  while (servedOne < times) {
    t.is(blocked.poll(events, PATIENCE_MS), 1);
    t.is([...events][0]?.token, 1);
    servedOne = one.wakes.count;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await awaiting;
  t.deepEqual([servedOne, servedTwo], [times, times]);
  await one.thread.finish();
  await two.thread.finish();
});

test('an aborted wait rejects with the reason, and loses no event', async (t) => {
  using poll = newPoll();
  using awakener = new Awakener(poll.registry, 1);
  const events = new Events();
  const reason = new Error('enough');
  await t.throwsAsync(poll.wait(events, undefined, { signal: AbortSignal.abort(reason) }), { is: reason });
  const controller = new AbortController();
  const wait = poll.wait(events, undefined, { signal: controller.signal });
  controller.abort(reason);
  await t.throwsAsync(wait, { is: reason });
  awakener.wake();
  t.is(await poll.wait(events, undefined, { signal: new AbortController().signal }), 1);
});

test('neither the signal nor the time-out of a wait that has ended touches the next one', async (t) => {
  using poll = newPoll();
  using awakener = new Awakener(poll.registry, 1);
  const events = new Events();
  const earlier = new AbortController();
  const ended = poll.wait(events, 20, { signal: earlier.signal });
  awakener.wake();
  t.is(await ended, 1);
  const next = poll.wait(events);
  earlier.abort(new Error('too late'));
  t.is(await Promise.race([next, new Promise((resolve) => setTimeout(resolve, 50, 'pending'))]), 'pending');
  awakener.wake();
  t.is(await next, 1);
});

test('a Poll iterates over its events, and leaving the loop leaves the rest', async (t) => {
  using poll = newPoll();
  const awakeners = [0, 1, 2].map((token) => new Awakener(poll.registry, token));
  for (const awakener of awakeners) awakener.wake();
  const seen: number[] = [];
  for await (const { token } of poll) {
    seen.push(token);
    if (seen.length === 2) break;
  }
  for await (const { token } of poll) {
    seen.push(token);
    break;
  }
  t.deepEqual(seen, [0, 1, 2]);
  for (const awakener of awakeners) awakener.close();
});

test('closing a Poll ends an iteration, rejects a wait and refuses the rest', async (t) => {
  const poll = newPoll();
  const iteration = (async () => {
    for await (const event of poll) t.fail(`an event of ${event.token}`);
  })();
  await new Promise((resolve) => setImmediate(resolve));
  poll.close();
  await iteration;
  poll.close();
  t.throws(() => poll.poll(new Events(), 0), { code: 'ERR_SIDEPORT_CLOSED' });
  await t.throwsAsync(poll.wait(new Events(), 0), { code: 'ERR_SIDEPORT_CLOSED' });
  using listener = listen();
  t.throws(() => poll.registry.register(listener, 0, Interest.READABLE), { code: 'ERR_SIDEPORT_CLOSED' });

  const other = newPoll();
  const wait = other.wait(new Events());
  other.close();
  await t.throwsAsync(wait, { code: 'ERR_SIDEPORT_CLOSED' });
});

test('sources outlive their Poll and can be registered with another', (t) => {
  using listener = listen();
  const first = newPoll();
  first.registry.register(listener, 0, Interest.READABLE);
  first.close();
  using second = newPoll();
  second.registry.register(listener, 1, Interest.READABLE);
  using stream = connectTo(listener);
  second.registry.register(stream, 2, Interest.WRITABLE);
  expectEvents(second, { token: 1, readable: true }, { token: 2, writable: true });
  const accepted = listener.accept();
  t.truthy(accepted);
  accepted?.stream.abort();
});

test('timers and immediates run though every wait is answered at once', async (t) => {
  using pair = new Pair(ioThread, PollOpt.LEVEL);
  const events = new Events();
  let immediates = 0;
  const tick = () => {
    immediates++;
    if (immediates < 3) setImmediate(tick);
  };
  setImmediate(tick);
  // Always ready: both ends have room to write. Only a wait that lets the loop run makes progress here.
  for (let waits = 0; immediates < 3; waits++) {
    if (waits === 10_000) return t.fail('10 000 waits and no turn of the event loop');
    t.true((await pair.poll.wait(events, PATIENCE_MS)) > 0);
  }
  t.is(immediates, 3);
});

test('misuse of poll and wait is a coded error at the call', async (t) => {
  using poll = newPoll();
  const invalid = { code: 'ERR_SIDEPORT_INVALID_ARG' };
  for (const timeoutMs of [-1, Number.NaN, '1' as unknown as number, null as unknown as number]) {
    t.throws(() => poll.poll(new Events(), timeoutMs), invalid);
    await t.throwsAsync(poll.wait(new Events(), timeoutMs), invalid);
  }
  for (const events of [undefined, [], {}]) {
    t.throws(() => poll.poll(events as unknown as Events, 0), invalid);
    await t.throwsAsync(poll.wait(events as unknown as Events, 0), invalid);
  }
  for (const capacity of [0, -1, 1.5, 2 ** 21, '8' as unknown as number]) t.throws(() => new Events(capacity), invalid);
  t.throws(() => Poll.from({} as unknown as ReturnType<Poll['share']>), invalid);
});

test('a time-out beyond what a timer holds is not taken for none', async (t) => {
  using poll = newPoll();
  using awakener = new Awakener(poll.registry, 1);
  const wait = poll.wait(new Events(), 2 ** 33);
  const warned = once(process, 'warning').then(([warning]) => String(warning));
  // A timer that overflows fires after 1 ms and warns; one of 5 ms is later than that.
  const idle = new Promise((resolve) => setTimeout(resolve, 5));
  t.is(await Promise.race([wait, warned, idle]), undefined);
  awakener.wake();
  t.is(await wait, 1);
});
