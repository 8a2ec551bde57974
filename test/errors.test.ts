import { once } from 'node:events';
import { createConnection } from 'node:net';
import test from 'ava';
import { errorCodes, SideportError, systemError } from '../src/errors.js';

for (const code of errorCodes) {
  test(`${code} has its code, a message of its own and a stack`, (t) => {
    const error = new SideportError(code);
    t.is(error.code, code);
    t.is(error.name, 'SideportError');
    t.true(error instanceof Error);
    t.regex(error.message, /^[A-Z].{10,}[^.]$/);
    t.regex(String(error.stack), /^SideportError/);
    const cause = new Error('why');
    const given = new SideportError(code, 'in this case', { cause });
    t.is(given.message, 'in this case');
    t.is(given.cause, cause);
  });
}

test('the codes are stable: removing or renaming one breaks programs', (t) => {
  t.deepEqual([...errorCodes].sort(), [
    'ERR_SIDEPORT_ALREADY_REGISTERED',
    'ERR_SIDEPORT_BACKEND',
    'ERR_SIDEPORT_CLOSED',
    'ERR_SIDEPORT_DETACHED',
    'ERR_SIDEPORT_INVALID_ADDRESS',
    'ERR_SIDEPORT_INVALID_ARG',
    'ERR_SIDEPORT_IO_THREAD_GONE',
    'ERR_SIDEPORT_LEASE_HELD',
    'ERR_SIDEPORT_LEASE_RELEASED',
    'ERR_SIDEPORT_LIMIT',
    'ERR_SIDEPORT_NOT_MOVABLE',
    'ERR_SIDEPORT_NOT_REGISTERED',
    'ERR_SIDEPORT_OTHER_IO_THREAD',
    'ERR_SIDEPORT_PERMISSION',
    'ERR_SIDEPORT_POLL_BUSY',
    'ERR_SIDEPORT_START_FAILED',
    'ERR_SIDEPORT_TIMEOUT',
    'ERR_SIDEPORT_TRANSFER_EXPIRED',
    'ERR_SIDEPORT_TRANSFER_USED',
    'ERR_SIDEPORT_UNSUPPORTED',
  ]);
});

test('instanceof recognises the errors of another copy of the package, and nothing else', async (t) => {
  const url = new URL('../src/errors.js', import.meta.url);
  url.search = '?another-copy';
  const other = (await import(url.href)) as typeof import('../src/errors.js');
  t.not(other.SideportError, SideportError);
  t.true(new other.SideportError('ERR_SIDEPORT_CLOSED') instanceof SideportError);
  for (const value of [new Error('x'), {}, null, undefined, 'x', systemError('read', -104)]) {
    t.false(value instanceof SideportError);
  }
});

test("a system error has the shape of Node's own", async (t) => {
  const socket = createConnection({ host: '127.0.0.1', port: 1 });
  const [node] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  const ours = systemError('connect', node.errno as number, { address: '127.0.0.1', port: 1 });
  t.is(ours.message, node.message);
  t.deepEqual({ ...ours }, { ...(node as unknown as typeof ours) });
});

test('an errno without a name is shown as its number', (t) => {
  t.like(systemError('read', -99_999), { code: 'Unknown system error -99999', errno: -99_999, syscall: 'read' });
});
