/** The end of an I/O thread, from whatever cause: everybody who uses it is told, and nobody hangs. */
import test from 'ava';
import { Child, said } from './child.js';
import type { Cause } from './fixtures/gone.js';
import { Peer } from './peer.js';

const HELD = { clients: 1, sources: 0, inFlight: 0, receiveBuffersHeld: 0, clientsDetached: 0 };

const causes: Record<Cause, string> = {
  terminated: 'the thread that started it is terminated',
  nested: "the thread whose worker's worker started it is terminated",
  closed: 'ioThread.close()',
  throws: 'it throws',
  exits: 'it exits',
  'runs out of memory': 'it reaches its resourceLimits',
};

for (const [cause, title] of Object.entries(causes)) {
  test.serial(`every client is told: ${title}`, async (t) => {
    const end = await new Child('gone', { cause }).ended;
    t.is(end.code, 0, end.stderr);
    t.deepEqual(said(end, 'held'), [HELD]);
  });
}

for (const cause of ['terminated', 'nested'] satisfies Cause[]) {
  test.serial(`with more than 1 MiB pending: ${causes[cause]}`, async (t) => {
    const peer = await Peer.listen(t);
    const child = new Child('gone', { cause, peerPort: peer.port });
    const pending = (await child.until('pending')) as number;
    t.true(pending > 1 << 20);
    const end = await child.ended;
    t.is(end.code, 0, end.stderr);
    t.deepEqual(said(end, 'held'), [HELD]);
    t.true((await peer.receive()).intact);
  });
}

test.serial(
  'eight threads that ask at once get one I/O thread, and are told when its starter is terminated',
  async (t) => {
    const end = await new Child('election').ended;
    t.is(end.code, 0, end.stderr);
    t.is(said(end, 'elected').length, 1);
  },
);
