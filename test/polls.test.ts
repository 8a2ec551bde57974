/** Many Polls, many threads, many sources. */
import test from 'ava';
import { Events, Interest, Poll, PollOpt, Ready, Registration } from '../src/index.js';
import type { RegistrarData } from './fixtures/registrar.js';
import { runChild } from './util/child.js';
import { ioThreadFor } from './util/io-thread.js';
import { TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);

test('2 000 Polls opened and closed leak no descriptor, no thread and no memory', async (t) => {
  t.timeout(120_000);
  const { status, stdout, stderr } = await runChild('many-polls', [], {}, ['--expose-gc']);
  t.is(stderr, '');
  t.is(stdout, 'nothing is left\n');
  t.is(status, 0);
});

test('register and deregister from several threads during polls lose nothing', async (t) => {
  const rounds = 1000;
  const data: RegistrarData = { ioThread: ioThread.share(), rounds };
  const threads = Array.from({ length: 3 }, () => new TestThread<number>('registrar', data));
  using poll = new Poll({ ioThread });
  const { registration, setReadiness } = Registration.create(ioThread);
  poll.registry.register(registration, 0, Interest.READABLE);
  let over = false;
  const all = Promise.all(threads.map((thread) => thread.finish())).finally(() => {
    over = true;
    setReadiness.setReadiness(Ready.READABLE);
  });
  const events = new Events();
  while (!over) await poll.wait(events, 100);
  t.deepEqual(await all, [rounds, rounds, rounds]);
  registration.close();
});

test('with fewer places than ready sources every source has its turn', (t) => {
  using poll = new Poll({ ioThread });
  const made = Array.from({ length: 10 }, (_, token) => {
    const one = Registration.create(ioThread);
    poll.registry.register(one.registration, token, Interest.READABLE, PollOpt.LEVEL);
    one.setReadiness.setReadiness(Ready.READABLE);
    return one;
  });
  const events = new Events(3);
  const seen = new Map<number, number>();
  for (let time = 0; time < 20; time++) {
    t.is(poll.poll(events, 0), 3);
    for (const { token } of events) seen.set(token, (seen.get(token) ?? 0) + 1);
  }
  t.deepEqual(
    [...seen.values()],
    Array.from({ length: 10 }, () => 6),
  );
  for (const { registration } of made) registration.close();
});
