import test from 'ava';
import {
  type CustomSource,
  Events,
  Interest,
  Poll,
  PollOpt,
  Ready,
  Registration,
  type Registry,
} from '../src/index.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });

/** A queue that is readable while it is not empty: what mio's users make of a Registration. */
class Inbox implements CustomSource {
  readonly calls: string[] = [];
  readonly #items: string[] = [];
  readonly #made = Registration.create(ioThread);

  register(registry: Registry, token: number, interest: number, options: number): void {
    this.calls.push('register');
    registry.register(this.#made.registration, token, interest, options);
  }

  reregister(registry: Registry, token: number, interest: number, options: number | undefined): void {
    this.calls.push('reregister');
    registry.reregister(this.#made.registration, token, interest, options);
  }

  deregister(registry: Registry): void {
    this.calls.push('deregister');
    registry.deregister(this.#made.registration);
  }

  put(item: string): void {
    this.#items.push(item);
    this.#made.setReadiness.setReadiness(Ready.READABLE);
  }

  take(): string | undefined {
    const item = this.#items.shift();
    if (this.#items.length === 0) this.#made.setReadiness.setReadiness(0);
    return item;
  }

  close(): void {
    this.#made.registration.close();
  }
}

test('a source of one’s own is registered, reregistered and deregistered through its own methods', (t) => {
  using poll = newPoll();
  const inbox = new Inbox();
  poll.registry.register(inbox, 1, Interest.READABLE, PollOpt.LEVEL);
  inbox.put('a');
  inbox.put('b');
  for (let time = 0; time < 2; time++) expectEvents(poll, { token: 1, readable: true });
  t.deepEqual([inbox.take(), inbox.take()], ['a', 'b']);
  t.is(poll.poll(new Events(), 0), 0);
  inbox.put('c');
  poll.registry.reregister(inbox, 2, Interest.READABLE);
  for (let time = 0; time < 2; time++) expectEvents(poll, { token: 2, readable: true });
  poll.registry.deregister(inbox);
  t.is(poll.poll(new Events(), 0), 0);
  t.deepEqual(inbox.calls, ['register', 'reregister', 'deregister']);
  inbox.close();
});

test('what a source’s own method throws reaches the caller', (t) => {
  using poll = newPoll();
  const inbox = new Inbox();
  t.throws(() => poll.registry.deregister(inbox), { code: 'ERR_SIDEPORT_NOT_REGISTERED' });
  t.throws(() => poll.registry.register(inbox, -1, Interest.READABLE), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  t.throws(() => poll.registry.register({} as CustomSource, 0, Interest.READABLE), {
    code: 'ERR_SIDEPORT_INVALID_ARG',
  });
  inbox.close();
});
