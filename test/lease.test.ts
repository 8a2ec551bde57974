import test from 'ava';
import { runChild } from './util/child.js';

const nodeArguments = ['--expose-gc'];

test('SIDEPORT_DEBUG=leases fills released bytes, says where a lease was taken and released, and who never released', async (t) => {
  const env = { ...process.env, SIDEPORT_DEBUG: 'leases' };
  const { status, stdout, stderr, hung } = await runChild('lease-misuser', [], { env }, nodeArguments);
  t.false(hung);
  t.is(status, 0, stderr);
  const { kept, code, released, taken } = JSON.parse(stdout);
  t.is(kept, 'db'.repeat(6), 'what was kept beyond the release shows it');
  t.is(code, 'ERR_SIDEPORT_LEASE_RELEASED');
  t.regex(released, /released here[\s\S]*lease-misuser/);
  t.regex(taken, /taken here[\s\S]*lease-misuser/);
  t.regex(stderr, /SideportWarning: A lease was collected without having been released\.[\s\S]*lease-misuser/);
});

test('without it bytes are left as they are, and nothing is traced', async (t) => {
  const env = { ...process.env, SIDEPORT_DEBUG: '' };
  const { status, stdout, stderr, hung } = await runChild('lease-misuser', [], { env }, nodeArguments);
  t.false(hung);
  t.is(status, 0, stderr);
  const { kept, code, released } = JSON.parse(stdout);
  t.is(kept, Buffer.from('leased').toString('hex'));
  t.is(code, 'ERR_SIDEPORT_LEASE_RELEASED');
  t.is(released, undefined);
  t.is(stderr, '');
});
