/** A pending wait ends when the thread is thrown out, also if the I/O thread rang before the doorbell was up. */
import test from 'ava';
import { ioThreadFor } from '../util/io-thread.js';
import { TestThread } from '../util/thread.js';

const ioThread = ioThreadFor(test);

test.serial('a wait does not sleep over being detached', async (t) => {
  t.is(await new TestThread('detached-unheard', { ioThread: ioThread.share() }).finish(), 'ERR_SIDEPORT_DETACHED');
});
