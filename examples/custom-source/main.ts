/**
 * A source of one's own: a job queue that is readable while it has finished jobs. It is made of a Registration, and a Poll hears of it beside
 * sockets and timers.
 *
 *     node dist/examples/custom-source/main.js
 */
import { pbkdf2 } from 'node:crypto';
import {
  type CustomSource,
  Events,
  Interest,
  Poll,
  PollOpt,
  Ready,
  Registration,
  type Registry,
  Timer,
} from 'sideport';

/** Derives keys in Node's own thread pool. */
class KeyQueue implements CustomSource {
  readonly #finished: string[] = [];
  readonly #made = Registration.create();

  derive(password: string): void {
    pbkdf2(password, 'salt', 1000, 16, 'sha256', (error, key) => {
      this.#finished.push(error ? error.message : `${password}: ${key.toString('hex')}`);
      this.#made.setReadiness.setReadiness(Ready.READABLE);
    });
  }

  /** The next one that is finished, or null. */
  take(): string | null {
    const finished = this.#finished.shift() ?? null;
    if (this.#finished.length === 0) this.#made.setReadiness.setReadiness(0);
    return finished;
  }

  register(registry: Registry, token: number, interest: number, options: number): void {
    registry.register(this.#made.registration, token, interest, options);
  }

  reregister(registry: Registry, token: number, interest: number, options: number | undefined): void {
    registry.reregister(this.#made.registration, token, interest, options);
  }

  deregister(registry: Registry): void {
    registry.deregister(this.#made.registration);
  }

  close(): void {
    this.#made.registration.close();
  }
}

const KEYS = 0;
const TOO_LATE = 1;

using poll = new Poll();
using limit = Timer.after(10_000);
const keys = new KeyQueue();
poll.registry.register(keys, KEYS, Interest.READABLE, PollOpt.LEVEL);
poll.registry.register(limit, TOO_LATE, Interest.READABLE);
const passwords = ['one', 'two', 'three'];
for (const password of passwords) keys.derive(password);

const derived: string[] = [];
const events = new Events();
while (derived.length < passwords.length) {
  await poll.wait(events);
  for (const { token } of events) {
    if (token === TOO_LATE) throw new Error('the keys took too long');
    for (let key = keys.take(); key !== null; key = keys.take()) derived.push(key);
  }
}
for (const key of derived.sort()) console.log(key);
keys.close();
