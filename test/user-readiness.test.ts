import test from 'ava';
import { Events, Interest, Poll, PollOpt, Ready, Registration, SetReadiness } from '../src/index.js';
import type { ReadinessSetterData } from './fixtures/readiness-setter.js';
import { awaitEvents, expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { Barrier, TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });
const { READABLE, WRITABLE } = Interest;
const BOTH = READABLE | WRITABLE;

test('readiness set by the program is an event; unset before the poll it is none', (t) => {
  using poll = newPoll();
  const { registration, setReadiness } = Registration.create(ioThread);
  poll.registry.register(registration, 1, BOTH);
  t.is(poll.poll(new Events(), 0), 0);
  setReadiness.setReadiness(Ready.READABLE);
  const [seen] = expectEvents(poll, { token: 1, readable: true });
  t.false(seen?.writable);
  t.is(setReadiness.readiness, Ready.READABLE);
  t.is(poll.poll(new Events(), 0), 0, 'an edge is told once');
  setReadiness.setReadiness(Ready.READABLE | Ready.WRITABLE);
  setReadiness.setReadiness(0);
  t.is(poll.poll(new Events(), 0), 0);
  registration.close();
});

test('readiness set before the registration is kept', (t) => {
  using poll = newPoll();
  const { registration, setReadiness } = Registration.create(ioThread);
  setReadiness.setReadiness(Ready.WRITABLE);
  poll.registry.register(registration, 1, BOTH);
  const [seen] = expectEvents(poll, { token: 1, writable: true });
  t.false(seen?.readable);
  registration.close();
});

test('the same readiness set again is a new edge', (t) => {
  using poll = newPoll();
  const { registration, setReadiness } = Registration.create(ioThread);
  poll.registry.register(registration, 1, READABLE);
  for (let time = 0; time < 3; time++) {
    setReadiness.setReadiness(Ready.READABLE);
    expectEvents(poll, { token: 1, readable: true });
    t.is(poll.poll(new Events(), 0), 0);
  }
  registration.close();
});

test('level tells until it is unset, oneshot once until it is registered anew', (t) => {
  using poll = newPoll();
  const { registration, setReadiness } = Registration.create(ioThread);
  poll.registry.register(registration, 1, READABLE, PollOpt.LEVEL);
  setReadiness.setReadiness(Ready.READABLE);
  for (let time = 0; time < 3; time++) expectEvents(poll, { token: 1, readable: true });
  poll.registry.reregister(registration, 2, READABLE, PollOpt.LEVEL | PollOpt.ONESHOT);
  expectEvents(poll, { token: 2, readable: true });
  t.is(poll.poll(new Events(), 0), 0);
  poll.registry.reregister(registration, 3, READABLE, PollOpt.LEVEL);
  expectEvents(poll, { token: 3, readable: true });
  setReadiness.setReadiness(0);
  t.is(poll.poll(new Events(), 0), 0);
  registration.close();
});

test('an interest that does not match hears nothing; errors and ends have predicates of their own', (t) => {
  using poll = newPoll();
  const { registration, setReadiness } = Registration.create(ioThread);
  poll.registry.register(registration, 1, WRITABLE);
  setReadiness.setReadiness(Ready.READABLE | Ready.READ_CLOSED);
  t.is(poll.poll(new Events(), 0), 0);
  setReadiness.setReadiness(Ready.ERROR | Ready.WRITE_CLOSED | Ready.WRITABLE);
  const [seen] = expectEvents(poll, { token: 1, error: true, writable: true, writeClosed: true });
  t.false(seen?.readClosed);
  registration.close();
});

test('a closed registration is silent, whatever is set', (t) => {
  using poll = newPoll();
  const { registration, setReadiness } = Registration.create(ioThread);
  poll.registry.register(registration, 1, READABLE);
  setReadiness.setReadiness(Ready.READABLE);
  registration.close();
  setReadiness.setReadiness(Ready.READABLE);
  t.is(poll.poll(new Events(), 0), 0);
  t.throws(() => poll.registry.reregister(registration, 1, READABLE), { code: 'ERR_SIDEPORT_CLOSED' });
  t.throws(() => setReadiness.setReadiness(64), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  t.throws(() => SetReadiness.from({} as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
});

test('5 000 rounds of one thread that registers while another sets lose nothing', async (t) => {
  using poll = newPoll();
  const rounds = new Barrier();
  const made = Array.from({ length: 5000 }, () => Registration.create(ioThread));
  const data: ReadinessSetterData = {
    shared: made.map(({ setReadiness }) => setReadiness.share()),
    ready: Ready.READABLE,
    rounds: rounds.words,
  };
  const setter = new TestThread('readiness-setter', data);
  await new Promise((resolve) => setter.worker.once('online', resolve));
  const events = new Events();
  made.forEach(({ registration }, round) => {
    rounds.arrive();
    poll.registry.register(registration, round, READABLE);
    t.is(poll.poll(events, 10_000), 1);
    for (const event of events) t.is(event.token, round);
    registration.close();
  });
  await setter.finish();
});

test('another thread settles a wait', async (t) => {
  using poll = newPoll();
  const { registration, setReadiness } = Registration.create(ioThread);
  poll.registry.register(registration, 1, WRITABLE);
  const rounds = new Barrier();
  rounds.arrive();
  const data: ReadinessSetterData = { shared: [setReadiness.share()], ready: Ready.WRITABLE, rounds: rounds.words };
  const setter = new TestThread('readiness-setter', data);
  await awaitEvents(poll, { token: 1, writable: true });
  await setter.finish();
  t.is(setReadiness.readiness, Ready.WRITABLE);
  registration.close();
});
