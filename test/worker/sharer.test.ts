/** What a sharer of a listener keeps of the connections that it was dealt. Its listener, session and streams are the test's. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { Claims, Offer } from '../../src/atomics/claim.js';
import { ADDRESS_WORDS } from '../../src/protocol/address.js';
import { clientMemoryBytes, geometryFor } from '../../src/protocol/client-memory.js';
import type { Session } from '../../src/worker/clients/session.js';
import { Sharer } from '../../src/worker/sources/sharer.js';
import type { TcpListener } from '../../src/worker/sources/tcp-listener.js';
import type { TcpStream } from '../../src/worker/sources/tcp-stream.js';

const GENERATION = 1;
const SHARER_SLOT = 0;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function sharerWithClaims(): { sharer: Sharer; claims: Claims } {
  const words = new Int32Array(new SharedArrayBuffer(clientMemoryBytes(geometryFor(64, 4, 4))));
  const claims = new Claims(words);
  const session = { words, claims, sourceCount: 0, addSource() {}, removeSource() {}, push() {} };
  const listener = { changed() {}, left() {} };
  const sharer = new Sharer(listener as unknown as TcpListener, session as unknown as Session, SHARER_SLOT, GENERATION);
  return { sharer, claims };
}

function deal(sharer: Sharer, fd: number): WeakRef<TcpStream> {
  const stream = { passTo() {} } as unknown as TcpStream;
  const address = new Int32Array(ADDRESS_WORDS).fill(fd);
  sharer.deal({ stream, fd, address });
  return new WeakRef(stream);
}

async function isCollected(weak: WeakRef<object>): Promise<boolean> {
  // A WeakRef that was just made, or asked, keeps its target for the rest of the job.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  return weak.deref() === undefined;
}

test('a connection that was claimed is forgotten when the client lends its next slot', async (t) => {
  const { sharer, claims } = sharerWithClaims();
  sharer.addCredit(1, GENERATION);
  sharer.addCredit(2, GENERATION);
  const claimed = deal(sharer, 10);
  const unclaimed = deal(sharer, 11);
  t.true(claims.claim(1, GENERATION, Offer.DEALT, 1));
  sharer.addCredit(3, GENERATION);
  t.true(await isCollected(claimed));
  t.false(await isCollected(unclaimed));
  t.is(sharer.behind, 1);
});

test('a connection that is taken back has its descriptor, its stream and its peer’s address', (t) => {
  const { sharer } = sharerWithClaims();
  sharer.addCredit(1, GENERATION);
  const stream = deal(sharer, 10);
  const back = sharer.takeBack();
  t.is(back?.fd, 10);
  t.is(back?.stream, stream.deref());
  t.deepEqual([...(back?.address ?? [])], new Array(ADDRESS_WORDS).fill(10));
  t.is(sharer.takeBack(), undefined);
});
