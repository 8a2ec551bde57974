// Wine: a prefix of its own, programs run under a time limit, and nothing left running.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../suite.mjs';
import { wineProgram } from './debian.mjs';
import { workshop } from './folders.mjs';

const prefix = join(workshop, 'prefix');
const PREPARING_LIMIT_MS = 180_000;

const STEPS = [
  ['wineboot', '-i'],
  // Node refuses to start on what Wine 8 says it is by default, Windows 7.
  ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'],
  // Each stat() asks the mount manager, a process of its own, for the volume's number: that is 1.5 of its 2 ms, and Node
  // calls it several times per module. Without the service the number is 0.
  [
    'reg',
    'add',
    'HKLM\\System\\CurrentControlSet\\Services\\MountMgr',
    '/v',
    'Start',
    '/t',
    'REG_DWORD',
    '/d',
    '4',
    '/f',
  ],
];
/** Written last, with the steps taken: a prefix without it was interrupted, or is another version's. */
const ready = join(prefix, 'ready');
const steps = JSON.stringify(STEPS);

const environment = { ...process.env, WINEPREFIX: prefix, WINEDEBUG: '-all', DISPLAY: '' };
// Node reads this file when it starts, two bytes per system call under Wine. Nothing here speaks TLS.
delete environment.NODE_EXTRA_CA_CERTS;

/** Everything that is done but once. */
export async function preparePrefix() {
  if (existsSync(ready) && readFileSync(ready, 'utf8') === steps) return;
  rmSync(prefix, { recursive: true, force: true });
  mkdirSync(prefix, { recursive: true });
  for (const step of STEPS) {
    const { status, output } = await runWine(step, { name: 'prefix', limitMs: PREPARING_LIMIT_MS });
    if (status !== 0) throw new Error(`wine ${step.join(' ')}: ${status}\n${output}`);
  }
  endWine();
  writeFileSync(ready, steps);
}

/**
 * Runs a program to its end. Its output goes to a file named `name`, because Node under Wine takes no pipe of Linux for it
 * (EBADF); `onOutput` hears of it on the way, in whole lines.
 */
export async function runWine(command, { name, env = {}, limitMs, onOutput = () => {} }) {
  const file = join(workshop, `${name}.log`);
  const descriptor = openSync(file, 'w');
  const child = spawn(wineProgram('wine64'), command, {
    cwd: root,
    env: { ...environment, ...env },
    stdio: ['ignore', descriptor, descriptor],
  });
  closeSync(descriptor);
  const reader = openSync(file, 'r');
  const lines = new LineReader(reader);
  const pump = () => onOutput(lines.next());
  const follow = setInterval(pump, 200);
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
    endWine();
  }, limitMs);
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(limit);
  clearInterval(follow);
  pump();
  closeSync(reader);
  return { status: timedOut ? `nothing within ${limitMs / 1000} s` : status, output: readFileSync(file, 'utf8') };
}

/** What has been added to a file, up to its last line's end. */
class LineReader {
  #descriptor;
  #rest = Buffer.alloc(0);

  constructor(descriptor) {
    this.#descriptor = descriptor;
  }

  next() {
    const chunks = [this.#rest];
    for (;;) {
      const chunk = Buffer.alloc(65_536);
      const count = readSync(this.#descriptor, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
    }
    const all = Buffer.concat(chunks);
    const end = all.lastIndexOf('\n') + 1;
    this.#rest = all.subarray(end);
    return all.subarray(0, end);
  }
}

/** Ends every program of the prefix, its server too, and waits for that. */
export function endWine() {
  const server = wineProgram('wineserver64');
  if (!server) return;
  for (const option of ['-k', '-w']) spawnSync(server, [option], { env: environment, timeout: 20_000 });
}
