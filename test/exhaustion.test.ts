import { runChild } from './util/child.js';
import { onWindows, unless } from './util/platform.js';

const limited = unless(onWindows, 'Windows knows no limit of handles that a process could set or soon meet');

limited('out of descriptors: accepting tells once, does not spin, and resumes when some are returned', async (t) => {
  const { status, stdout, stderr, hung } = await runChild('out-of-descriptors');
  t.false(hung);
  t.is(status, 0, stderr);
  const { code, turnsMeanwhile, accepted, connections } = JSON.parse(stdout);
  t.is(code, 'EMFILE');
  t.is(accepted, connections, 'no connection is lost');
  // It tries again every 100 ms, for some ten times; a busy loop makes that many turns in a millisecond.
  t.true(turnsMeanwhile < 1000, `${turnsMeanwhile} turns while there were no descriptors`);
});

limited('out of descriptors: connect and bind throw it at the call', async (t) => {
  const { status, stdout, stderr } = await runChild('no-descriptor-left');
  t.is(status, 0, stderr);
  t.deepEqual(JSON.parse(stdout), ['socket EMFILE', 'socket EMFILE']);
});

// A process that may bind any port cannot be refused one; only root can become somebody who is.
const ordinary = unless(process.getuid?.() !== 0, 'only root can become somebody else');
ordinary('a privileged port is thrown by bind as node:net throws it', async (t) => {
  const { status, stdout, stderr } = await runChild('privileged-port');
  t.is(status, 0, stderr);
  const { ours, node } = JSON.parse(stdout);
  t.is(ours.code, 'EACCES');
  t.deepEqual(ours, node);
});
