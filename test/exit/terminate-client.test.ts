/** `worker.terminate()` of a client at any moment: everything of it is reclaimed, and nobody else is disturbed. */
import test, { type ExecutionContext } from 'ava';
import { underWine, unless } from '../util/platform.js';
import { scaled } from '../util/random.js';
import { Child, type Ended, said } from './child.js';
import type { Held } from './fixtures/settled.js';
import { Peer } from './peer.js';
import { SilentPeer } from './silent-peer.js';

function reclaimed(t: ExecutionContext, end: Ended): void {
  t.is(end.code, 0, end.stderr);
  t.is(end.stderr, '');
  const [held] = said(end, 'held') as Held[];
  t.like(held, { clients: 1, sources: 0, inFlight: 0, receiveBuffersHeld: 0, clientsDetached: 0 });
}

for (const doing of ['polling', 'waiting', 'exiting'] as const) {
  test.serial(`sources, buffers, descriptors and ports come back: ${doing}`, async (t) => {
    reclaimed(t, await new Child('terminate', { doing, rounds: 3 }).ended);
  });
}

/**
 * Wine tells a send nothing of a reset that comes while the send tries: it pends for ever (docs/completion-ports.md). A
 * writer's stream may end so, its peer being closed with data unread, and is then let go after `lingerMs` only.
 */
const WRITERS_LINGER_MS = underWine ? 1000 : undefined;

for (const [doing, rounds] of [
  ['registering', 12],
  ['writing', 10],
  ['waking', 10],
  ['attaching', 10],
] as const) {
  test.serial(`terminated amid a tight loop: ${doing}`, async (t) => {
    const lingerMs = doing === 'writing' ? WRITERS_LINGER_MS : undefined;
    const options = { doing, rounds: scaled(rounds, 4), lingerMs };
    reclaimed(t, await new Child('terminate', options, { watchdogMs: 40_000 }).ended);
  });
}

test.serial('what a terminated client wrote is flushed, then FIN', async (t) => {
  const peer = await Peer.listen(t);
  const child = new Child('terminate', { doing: 'flushing', peerPort: peer.port });
  const pending = (await child.until('flushing')) as number;
  t.true(pending > 1 << 20);
  t.deepEqual(await peer.receive(), { length: pending, intact: true, how: 'end' });
  reclaimed(t, await child.ended);
});

unless(underWine, 'under Wine a reset that comes while nothing is pending reads as an end')(
  'a peer that never reads is reset after lingerMs',
  async (t) => {
    const peer = new SilentPeer(t);
    const child = new Child('terminate', { doing: 'flushing', peerPort: peer.port, lingerMs: 200 });
    const pending = (await child.until('flushing')) as number;
    reclaimed(t, await child.ended);
    const { length, how } = await peer.receive();
    t.true(length < pending);
    t.is(how, 'ECONNRESET');
  },
);
