/** `ioThread.close()`: what was written before is flushed, under `lingerMs`; nothing of an ended I/O thread remains. */
import test from 'ava';
import { underWine, unless } from '../util/platform.js';
import { Child, said } from './child.js';
import { Peer } from './peer.js';
import { SilentPeer } from './silent-peer.js';

test.serial('close() of the I/O thread tells its clients at once and flushes what they wrote', async (t) => {
  const peer = await Peer.listen(t);
  const child = new Child('close', { what: 'io-thread', peerPort: peer.port, lingerMs: 30_000 });
  const pending = (await child.until('closing')) as number;
  t.is(await child.until('told'), 'ERR_SIDEPORT_IO_THREAD_GONE');
  t.deepEqual(await peer.receive(), { length: pending, intact: true, how: 'end' });
  const end = await child.ended;
  t.is(end.code, 0, end.stderr);
  t.deepEqual(said(end, 'closed'), [false]);
  t.is(end.stderr, '');
});

for (const what of ['io-thread', 'stream'] as const) {
  unless(underWine, 'under Wine a reset that comes while nothing is pending reads as an end')(
    `a peer that never reads is reset after lingerMs: close() of the ${what}`,
    async (t) => {
      const peer = new SilentPeer(t);
      const child = new Child('close', { what, peerPort: peer.port, lingerMs: 200 });
      const pending = (await child.until('closing')) as number;
      const end = await child.ended;
      t.is(end.code, 0, end.stderr);
      t.is(end.stderr, '');
      const { length, how } = await peer.receive();
      t.true(length < pending);
      t.is(how, 'ECONNRESET');
    },
  );
}

test.serial('while it flushes, a new Poll starts another, and nobody attaches to it any more', async (t) => {
  const peer = await Peer.listen(t);
  const child = new Child('replace', { peerPort: peer.port });
  await child.until('replaced');
  await peer.receive();
  const end = await child.ended;
  t.is(end.code, 0, end.stderr);
  t.is(end.stderr, '');
});

test.serial('a thread terminated while it starts an I/O thread leaves nothing, and others start one', async (t) => {
  const end = await new Child('terminate-starting', {}, { watchdogMs: 40_000 }).ended;
  t.is(end.code, 0, end.stderr);
});
