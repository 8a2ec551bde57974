/** The ends of process-end.test.ts with more than 1 MiB accepted for a peer that does not read. */
import test from 'ava';
import { Child, said } from './child.js';
import type { How } from './fixtures/end.js';
import { Peer } from './peer.js';

const PLACES = ['main', 'worker', 'starter'] as const;
const MEBIBYTE = 1 << 20;

for (const where of PLACES) {
  test.serial(`natural end after close() flushes everything, then FIN (${where})`, async (t) => {
    const peer = await Peer.listen(t);
    const child = new Child('end', { where, how: 'natural', peerPort: peer.port });
    // Only when nothing but the flush is left to do does the peer begin to read.
    await child.until('ready');
    const pending = (await child.until('pending')) as number;
    t.true(pending > MEBIBYTE);
    const received = await peer.receive();
    t.deepEqual(received, { length: pending, intact: true, how: 'end' });
    const end = await child.ended;
    t.is(end.code, 0);
    t.is(said(end, 'idle').length, 1, 'the flush alone kept the event loop busy, and it ended once');
  });

  for (const how of ['exit', 'throw', 'reject'] satisfies How[]) {
    // `lingerMs` is 30 s, the watchdog's patience 10 s: a process that flushed would hang.
    test.serial(`${how} does not wait for the flush (${where})`, async (t) => {
      const peer = await Peer.listen(t);
      const child = new Child('end', { where, how, peerPort: peer.port });
      const pending = (await child.until('pending')) as number;
      const end = await child.ended;
      t.is(end.code, where !== 'main' ? 0 : how === 'exit' ? 7 : 1);
      // How much the kernel had taken is its own affair; what arrives is what was written first.
      const received = await peer.receive();
      t.true(received.intact);
      t.true(received.length <= pending);
    });
  }

  test.serial(`a signal does not wait for the flush (${where})`, async (t) => {
    const peer = await Peer.listen(t);
    const child = new Child('end', { where, how: 'poll-for-ever', peerPort: peer.port });
    await child.until('ready');
    child.kill('SIGTERM');
    t.is((await child.ended).signal, 'SIGTERM');
    const received = await peer.receive();
    t.true(received.intact);
  });
}
