import test from 'ava';
import { ring, Sleeper } from '../../src/atomics/doorbell.js';
import { Header } from '../../src/protocol/client-memory.js';

const NO_NEWS = () => false;

/** A client, and what a ringer does to it: `rang` is how many doorbell callbacks were queued. */
function sleeper() {
  const words = new Int32Array(new SharedArrayBuffer(4 * Header.WORDS));
  const state = { rang: 0 };
  const bell = {
    ringDoorbell(_clientId: number, at: Int32Array, word: number, from: number, to: number): boolean {
      const swapped = Atomics.compareExchange(at, word, from, to) === from;
      if (swapped) state.rang++;
      return swapped;
    },
  };
  return { state, client: new Sleeper(words), ring: () => ring(words, bell, 1) };
}

test('one of many ringers rings, and only a client that sleeps', (t) => {
  const { client, ring, state } = sleeper();
  t.false(ring());
  t.true(client.listen(NO_NEWS));
  t.deepEqual([ring(), ring()], [true, false]);
  client.calledBack();
  t.false(ring());
  t.is(state.rang, 1);
});

test('a client with news does not sleep', (t) => {
  const { client, ring } = sleeper();
  t.false(client.listen(() => true));
  t.false(ring());
  client.block(60_000, () => true);
  t.false(ring());
});

test('a ring between the look and the wait makes the wait return at once', (t) => {
  const { client, ring, state } = sleeper();
  client.block(60_000, () => {
    t.true(ring());
    return false;
  });
  t.false(ring());
  t.is(state.rang, 0, 'a blocked client is notified, not called back');
});

// Each of these goes on while a callback is under way, and listens again before it has run.
const goingOn: Record<string, (client: Sleeper) => void> = {
  'listens again': () => {},
  'stops listening': (client) => client.stopListening(),
  blocks: (client) => client.block(0, NO_NEWS),
};
for (const [what, goOn] of Object.entries(goingOn)) {
  test(`no second callback is queued for a client that ${what} while one is under way`, (t) => {
    const { client, ring, state } = sleeper();
    client.listen(NO_NEWS);
    t.true(ring());
    goOn(client);
    t.true(client.listen(NO_NEWS));
    t.false(ring());
    client.calledBack();
    client.listen(NO_NEWS);
    t.true(ring());
    t.is(state.rang, 2);
  });
}
