/** An I/O thread that cannot start is a coded error at the call, and soon. */
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { IoThread, type IoThreadOptions, type SideportErrorCode } from '../../src/index.js';
import { Child, said } from './child.js';

const code = (source: string) => new URL(`data:text/javascript,${encodeURIComponent(source)}`);

const CASES: readonly [string, IoThreadOptions, SideportErrorCode][] = [
  [
    'a worker file that does not exist',
    { workerUrl: pathToFileURL('/nonexistent/worker.js') },
    'ERR_SIDEPORT_START_FAILED',
  ],
  ['a worker file that throws', { workerUrl: code('throw new Error("on purpose")') }, 'ERR_SIDEPORT_START_FAILED'],
  ['a worker file that exits', { workerUrl: code('process.exit(3)') }, 'ERR_SIDEPORT_START_FAILED'],
  ['a worker file that is none of ours', { workerUrl: code('1') }, 'ERR_SIDEPORT_START_FAILED'],
  ['a URL that no worker can have', { workerUrl: new URL('https://example.org/') }, 'ERR_SIDEPORT_START_FAILED'],
  ['an addon that does not exist', { addonPath: '/nonexistent/addon.node' }, 'ERR_SIDEPORT_START_FAILED'],
  ['an addon that is none', { addonPath: import.meta.filename }, 'ERR_SIDEPORT_START_FAILED'],
  ['a backend that does not exist', { backend: 'carrier-pigeon' }, 'ERR_SIDEPORT_BACKEND'],
];

for (const [title, options, expected] of CASES) {
  test.serial(title, (t) => {
    t.throws(() => IoThread.start(options), { code: expected, instanceOf: Error });
  });
}

test.serial('a thread that failed to start one can start another', async (t) => {
  t.throws(() => IoThread.start({ backend: 'carrier-pigeon' }));
  const ioThread = IoThread.start();
  t.true(ioThread.isAlive);
  await ioThread.close();
});

const [major = 0] = process.versions.node.split('.').map(Number);
const permission = major >= 23 ? '--permission' : '--experimental-permission';

for (const [title, allowed] of [
  ['no worker and no addon allowed', []],
  ['no addon allowed', ['--allow-worker']],
  ['no worker allowed', ['--allow-addons']],
] as const) {
  test.serial(`Node's permission model: ${title}`, async (t) => {
    const execArgv = [permission, '--allow-fs-read=*', '--no-warnings', ...allowed];
    // Node 20 denies every addon under its permission model, and has no flag for it.
    const known = execArgv.filter((flag) => flag !== '--allow-addons' || process.allowedNodeEnvironmentFlags.has(flag));
    const end = await new Child('permission', {}, { execArgv: known }).ended;
    t.is(end.code, 0, end.stderr);
    t.deepEqual(said(end, 'denied'), Array(3).fill('ERR_SIDEPORT_PERMISSION'));
  });
}
