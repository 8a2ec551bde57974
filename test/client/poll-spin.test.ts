import test from 'ava';
import type { Client } from '../../src/client/link/client.js';
import { PollSpin } from '../../src/client/polling/spin.js';

/** A client, as far as it is looked at, with a clock of its own: a look takes a microsecond. */
class Looked {
  readonly done: string[] = [];
  looks = 0;
  readonly #newsAt: number;

  constructor(newsAtLook = Number.POSITIVE_INFINITY) {
    this.#newsAt = newsAtLook;
  }

  flushLazily(): void {
    this.done.push('published');
  }

  hasNews(): boolean {
    if (this.looks === 0) this.done.push('looked');
    return ++this.looks >= this.#newsAt;
  }

  /** What `spin.finds` says, by this clock. */
  find(spin: PollSpin, limitMs: number): boolean {
    const { now } = performance;
    performance.now = () => this.looks / 1000;
    try {
      return spin.finds(limitMs);
    } finally {
      performance.now = now;
    }
  }
}

const spinOf = (client: Looked, spinUs: number) => new PollSpin(client as unknown as Client, spinUs);

test('a Poll that was not asked to look for news sleeps at once', (t) => {
  const client = new Looked(1);
  t.false(client.find(spinOf(client, 0), Number.POSITIVE_INFINITY));
  t.deepEqual(client.done, []);
});

test('a Poll that was asked to publishes what it submitted, and looks until there is news', (t) => {
  const client = new Looked(77);
  t.true(client.find(spinOf(client, 100), Number.POSITIVE_INFINITY));
  t.is(client.looks, 77);
  t.deepEqual(client.done, ['published', 'looked']);
});

test('it looks for as long as it was asked to, and not beyond the time-out', (t) => {
  const client = new Looked();
  t.false(client.find(spinOf(client, 100), Number.POSITIVE_INFINITY));
  t.true(client.looks >= 100 && client.looks < 132, `${client.looks} looks of a microsecond`);
  const hurried = new Looked();
  t.false(hurried.find(spinOf(hurried, 1_000_000), 0.05));
  t.true(hurried.looks >= 50 && hurried.looks < 82, `${hurried.looks} looks of a microsecond`);
});

test('looking that was in vain is given up, but for every 32nd time, and taken up again when it pays', (t) => {
  const client = new Looked();
  const spin = spinOf(client, 100);
  const tried = () => {
    const before = client.looks;
    client.find(spin, Number.POSITIVE_INFINITY);
    return client.looks > before;
  };
  const seldom = [...Array(31).fill(false), true];
  t.deepEqual(Array.from({ length: 2 }, tried), [true, true]);
  t.deepEqual(Array.from({ length: 64 }, tried), [...seldom, ...seldom]);
  const busy = new Looked(1);
  const paying = spinOf(busy, 100);
  t.deepEqual(
    Array.from({ length: 100 }, () => busy.find(paying, Number.POSITIVE_INFINITY)),
    Array(100).fill(true),
  );
});
