/** io_uring denied by a seccomp filter, as in containers, or short of locked memory: epoll takes over and says why. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { unless } from '../util/platform.js';

/** Since Linux 5.1 the same on every architecture but alpha. */
const SYSTEM_CALLS = { io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 } as const;

const scratch = mkdtempSync(join(tmpdir(), 'sideport-confine-'));
const confine = join(scratch, 'confine');
const source = fileURLToPath(new URL('../../../test/fixtures/confine.c', import.meta.url));
const compiled = process.platform === 'linux' && spawnSync('cc', ['-o', confine, source]).status === 0;
const confined = unless(!compiled, 'a seccomp filter, which only Linux has, is installed by a C program');

test.after.always('the program is removed', () => rmSync(scratch, { recursive: true, force: true }));

interface Told {
  readonly backend?: string;
  readonly fallbackReason?: string;
  readonly text?: string;
  readonly code?: string;
  readonly message?: string;
}

const whichBackend = (confinement: string[], forced = '') => run<Told>('which-backend', confinement, forced);

/** Runs a fixture confined, with no backend forced but `forced`. Nothing may be written to standard error. */
async function run<Answer>(name: string, confinement: string[], forced = ''): Promise<Answer> {
  const fixture = fileURLToPath(new URL(`../fixtures/${name}.js`, import.meta.url));
  const options = { env: { ...process.env, SIDEPORT_BACKEND: forced }, timeout: 20_000 };
  const { stdout, stderr } = await promisify(execFile)(
    confine,
    [...confinement, '--', process.execPath, fixture],
    options,
  );
  if (stderr) throw new Error(stderr);
  return JSON.parse(stdout) as Answer;
}

for (const [name, number] of Object.entries(SYSTEM_CALLS)) {
  confined(`${name} denied: epoll takes over silently, and stats() says why`, async (t) => {
    const told = await whichBackend(['--deny', `${number}`]);
    t.is(told.backend, 'epoll');
    t.is(told.text, 'through');
    t.regex(told.fallbackReason ?? '', /^io_uring.*: Operation not permitted$/);
  });
}

confined('io_uring denied and forced: an error with the reason', async (t) => {
  const { code, message } = await whichBackend(['--deny', `${SYSTEM_CALLS.io_uring_setup}`], 'io_uring');
  t.is(code, 'ERR_SIDEPORT_BACKEND');
  t.is(message, 'io_uring is not available here: io_uring_setup: Operation not permitted');
});

confined('another backend forced: there is nothing to explain', async (t) => {
  const told = await whichBackend(['--deny', `${SYSTEM_CALLS.io_uring_setup}`], 'epoll');
  t.deepEqual(told, { backend: 'epoll', text: 'through' });
});

// Newer kernels count io_uring's rings as locked memory, each group's too: the limits below leave room for nothing,
// for a part of it, and for all.
for (const kib of [0, 32, 48, 52, 56, 60, 64, 72, 128]) {
  confined(`${kib} KiB of locked memory: bytes get through, and epoll says why it is not io_uring`, async (t) => {
    const told = await whichBackend(['--locked-memory', `${kib * 1024}`]);
    t.is(told.text, 'through');
    if (told.backend === 'io_uring') t.is(told.fallbackReason, undefined);
    else t.regex(told.fallbackReason ?? '', /^io_uring.*: Cannot allocate memory$/);
    t.log(`${told.backend} ${told.fallbackReason ?? ''}`);
  });
}

confined('a group for which no locked memory is left is served without a ring', async (t) => {
  // Room for the port, some groups, and the memory of ports just closed, which the kernel is slow to count as free.
  const told = await run<{ backend: string; groups: number; served: number; empty: number }>('many-groups', [
    '--locked-memory',
    `${160 * 1024}`,
  ]);
  t.is(told.served, told.groups);
  t.true(told.empty >= told.groups, 'each was empty once');
  t.log(told.backend);
});
