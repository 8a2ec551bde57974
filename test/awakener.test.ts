import test from 'ava';
import { Awakener, Events, Poll, type SharedAwakener } from '../src/index.js';
import type { SleeperData } from './fixtures/sleeper.js';
import type { WakerData } from './fixtures/waker.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { awaitSleeping } from './util/sleeping.js';
import { Barrier, PATIENCE_MS, TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });

function waker(awakener: Awakener, wakes: Barrier, times: number, whenAsleep: boolean): TestThread {
  const data: WakerData = { awakener: awakener.share(), wakes: wakes.words, times, whenAsleep };
  return new TestThread('waker', data);
}

test('a wake before a poll is not missed', (t) => {
  using poll = newPoll();
  using awakener = new Awakener(poll.registry, 5);
  awakener.wake();
  const seen = expectEvents(poll, { token: 5, readable: true });
  t.is(seen.length, 1);
  t.false(seen[0]?.writable);
});

test('many wakes before a poll give one event, and then no more', (t) => {
  using poll = newPoll();
  using awakener = new Awakener(poll.registry, 5);
  for (let time = 0; time < 1000; time++) awakener.wake();
  const events = new Events(8);
  t.is(poll.poll(events, 0), 1);
  t.is(poll.poll(events, 0), 0);
  awakener.wake();
  t.is(poll.poll(events, 0), 1);
});

test('another thread ends a poll that blocks', async (t) => {
  using poll = newPoll();
  using awakener = new Awakener(poll.registry, 1);
  const wakes = new Barrier();
  const thread = waker(awakener, wakes, 1, true);
  const events = new Events(8);
  t.is(poll.poll(events), 1);
  t.is([...events][0]?.token, 1);
  t.is(wakes.count, 1);
  await thread.finish();
});

test('another thread ends a wait', async (t) => {
  using poll = newPoll();
  using awakener = new Awakener(poll.registry, 1);
  const wakes = new Barrier();
  const thread = waker(awakener, wakes, 1, true);
  const events = new Events(8);
  t.is(await poll.wait(events), 1);
  t.is(wakes.count, 1);
  await thread.finish();
});

for (const blocking of [true, false]) {
  const how = blocking ? 'blocking polls' : 'waits';

  test(`no wake of many threads is lost on ${how}`, async (t) => {
    using poll = newPoll();
    const [threads, times] = [4, 2000];
    const awakeners = Array.from({ length: threads }, (_, token) => new Awakener(poll.registry, token));
    const wakes = awakeners.map(() => new Barrier());
    const wakers = awakeners.map((awakener, at) => waker(awakener, wakes[at] as Barrier, times, at % 2 === 0));
    const events = new Events(2);
    // After the last wake of each an event of its is due, whatever has coalesced before.
    const served = awakeners.map(() => 0);
    while (served.some((count) => count < times)) {
      const count = blocking ? poll.poll(events, PATIENCE_MS) : await poll.wait(events, PATIENCE_MS);
      if (count === 0) return t.fail(`slept over a wake: ${served} of ${wakes.map((barrier) => barrier.count)}`);
      for (const { token } of events) served[token] = (wakes[token] as Barrier).count;
    }
    for (const thread of wakers) await thread.finish();
    for (const awakener of awakeners) awakener.close();
    t.deepEqual(served, [times, times, times, times]);
  });

  test(`the main thread wakes a worker's ${how}`, async (t) => {
    const [wakes, events] = [new Barrier(), new Barrier()];
    const data: SleeperData = {
      ioThread: ioThread.share(),
      blocking,
      times: 200,
      wakes: wakes.words,
      events: events.words,
    };
    const thread = new TestThread<number>('sleeper', data);
    const shared = await thread.message<SharedAwakener>();
    const remote = Awakener.from(shared);
    for (let time = 0; time < data.times; time++) {
      awaitSleeping(shared);
      wakes.arrive();
      remote.wake();
      // Asleep again only after it has delivered this one.
      events.await(time + 1);
    }
    t.is(await thread.finish(), data.times);
    t.notThrows(() => remote.wake(), 'a wake after the end of the thread has no effect');
  });
}

test('each Awakener of a Poll has its own token', (t) => {
  using poll = newPoll();
  using first = new Awakener(poll.registry, 0);
  using last = new Awakener(poll.registry, 2 ** 32 - 1);
  last.wake();
  const events = new Events(8);
  poll.poll(events, 0);
  t.deepEqual(
    [...events].map(({ token }) => token),
    [2 ** 32 - 1],
  );
  first.wake();
  last.wake();
  poll.poll(events, 0);
  t.deepEqual([...events].map(({ token }) => token).sort(), [0, 2 ** 32 - 1]);
});

test('a wake reaches only the Poll of its Awakener', (t) => {
  using mine = newPoll();
  using other = newPoll();
  using awakener = new Awakener(mine.registry, 1);
  awakener.wake();
  const events = new Events(8);
  t.is(other.poll(events, 0), 0);
  t.is(mine.poll(events, 0), 1);
});

test('a closed Awakener delivers nothing, also not what was under way', (t) => {
  using poll = newPoll();
  const awakener = new Awakener(poll.registry, 5);
  const remote = Awakener.from(awakener.share());
  awakener.wake();
  awakener.close();
  remote.wake();
  t.is(poll.poll(new Events(8), 0), 0);
  awakener.close();
  t.throws(() => awakener.wake(), { code: 'ERR_SIDEPORT_CLOSED' });
});

test('misuse is a coded error at the call', (t) => {
  using poll = newPoll();
  for (const token of [-1, 2 ** 32, 0.5, Number.NaN, '1' as unknown as number]) {
    t.throws(() => new Awakener(poll.registry, token), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  for (const shared of [undefined, null, {}, { sideport: 'signal' }, 7]) {
    t.throws(() => Awakener.from(shared as unknown as SharedAwakener), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
});
