/** Every 17th wait in a row goes by the event loop. With a time-out of 0 it left its waiter behind, which kept the thread alive. */
import test from 'ava';
import { runChild } from '../util/child.js';

test('many waits of no time in a row let the event loop run, and leave nothing that keeps the process alive', async (t) => {
  const { status, stdout, stderr, hung } = await runChild('waits-of-zero');
  t.false(hung);
  t.is(status, 0, stderr);
  t.is(stdout.trim(), 'true');
});
