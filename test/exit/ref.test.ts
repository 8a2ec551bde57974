/** `ref()`, `unref()`, `hasRef()` of Polls and sources. */
import test from 'ava';
import { Child, said } from './child.js';
import type { RefCase } from './fixtures/ref.js';
import { Peer } from './peer.js';

const PLACES = ['main', 'worker'] as const;

for (const where of PLACES) {
  for (const refCase of [
    'wait, unref before',
    'wait, unref while pending',
    'timed wait, unref before',
    'timed wait, unref while pending',
    'iteration, unref while pending',
  ] satisfies RefCase[]) {
    // Still referenced, the wait would last for ever, or an hour: the watchdog would end it.
    test.serial(`a wait that is unref'ed lets the thread end (${where}: ${refCase})`, async (t) => {
      const end = await new Child('ref', { where, refCase }).ended;
      t.is(end.code, 0, end.stderr);
      t.deepEqual(said(end, 'settled'), []);
      t.is(said(end, 'exit').length, 1);
    });
  }

  test.serial(`a wait that is ref'ed again keeps the thread alive (${where})`, async (t) => {
    const end = await new Child('ref', { where, refCase: 'wait, ref again' satisfies RefCase }).ended;
    t.is(end.code, 0, end.stderr);
    t.deepEqual(
      end.said.map(({ kind }) => kind).filter((kind) => kind !== 'worker-exit'),
      ['settled', 'idle', 'exit'],
    );
  });

  for (const refCase of ['close, unref before', 'close, unref while flushing'] satisfies RefCase[]) {
    test.serial(`a flushing close that is unref'ed lets the thread end (${where}: ${refCase})`, async (t) => {
      const peer = await Peer.listen(t);
      const child = new Child('ref', { where, refCase, peerPort: peer.port });
      const pending = (await child.until('pending')) as number;
      await child.until(where === 'main' ? 'exit' : 'worker-exit');
      const end = await child.ended;
      t.is(end.code, 0, end.stderr);
      // The peer reads only now: nothing could be flushed before.
      const received = await peer.receive();
      t.true(received.intact);
      t.true(received.length <= pending);
    });
  }

  test.serial(`a flushing close that is ref'ed again keeps the thread alive (${where})`, async (t) => {
    const peer = await Peer.listen(t);
    const child = new Child('ref', { where, refCase: 'close, ref again' satisfies RefCase, peerPort: peer.port });
    await child.until('closing');
    const pending = (await child.until('pending')) as number;
    t.deepEqual(await peer.receive(), { length: pending, intact: true, how: 'end' });
    t.is((await child.ended).code, 0);
  });
}
