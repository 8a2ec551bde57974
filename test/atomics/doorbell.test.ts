import test from 'ava';
import { claimRing, Ring, Sleeper } from '../../src/atomics/doorbell.js';
import { Header } from '../../src/protocol/client-memory.js';

const NO_NEWS = () => false;

function sleeper() {
  const words = new Int32Array(new SharedArrayBuffer(4 * Header.WORDS));
  return { words, client: new Sleeper(words) };
}

test('one of many ringers rings, and only a client that sleeps', (t) => {
  const { words, client } = sleeper();
  t.is(claimRing(words), Ring.NOT);
  t.true(client.listen(NO_NEWS));
  t.deepEqual([claimRing(words), claimRing(words)], [Ring.DOORBELL, Ring.NOT]);
  client.calledBack();
  t.is(claimRing(words), Ring.NOT);
});

test('a client with news does not sleep', (t) => {
  const { words, client } = sleeper();
  t.false(client.listen(() => true));
  t.is(claimRing(words), Ring.NOT);
  client.block(60_000, () => true);
  t.is(claimRing(words), Ring.NOT);
});

test('a ring between the look and the wait makes the wait return at once', (t) => {
  const { words, client } = sleeper();
  client.block(60_000, () => {
    t.is(claimRing(words), Ring.NOTIFIED);
    return false;
  });
  t.is(claimRing(words), Ring.NOT);
});

// Each of these goes on while a callback is under way, and listens again before it has run.
const goingOn: Record<string, (client: Sleeper) => void> = {
  'listens again': () => {},
  'stops listening': (client) => client.stopListening(),
  blocks: (client) => client.block(0, NO_NEWS),
};
for (const [what, goOn] of Object.entries(goingOn)) {
  test(`no second callback is queued for a client that ${what} while one is under way`, (t) => {
    const { words, client } = sleeper();
    client.listen(NO_NEWS);
    t.is(claimRing(words), Ring.DOORBELL);
    goOn(client);
    t.true(client.listen(NO_NEWS));
    t.is(claimRing(words), Ring.NOT);
    client.calledBack();
    client.listen(NO_NEWS);
    t.is(claimRing(words), Ring.DOORBELL);
  });
}
