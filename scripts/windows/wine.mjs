// Wine: a prefix of its own, programs run under a time limit, and nothing left running.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../suite.mjs';
import { wineProgram } from './debian.mjs';
import { workshop } from './folders.mjs';

const prefix = join(workshop, 'prefix');
/** Written last: a prefix without it was interrupted. */
const ready = join(prefix, 'ready');
const PREPARING_LIMIT_MS = 180_000;

const environment = { ...process.env, WINEPREFIX: prefix, WINEDEBUG: '-all', DISPLAY: '' };

/** As wide as Node needs: it refuses to start on what Wine 8 says it is by default, Windows 7. */
export async function preparePrefix() {
  if (existsSync(ready)) return;
  rmSync(prefix, { recursive: true, force: true });
  mkdirSync(prefix, { recursive: true });
  const steps = [
    ['wineboot', '-i'],
    ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f'],
  ];
  for (const step of steps) {
    const { status, output } = await runWine(step, { limitMs: PREPARING_LIMIT_MS });
    if (status !== 0) throw new Error(`wine ${step.join(' ')}: ${status}\n${output}`);
  }
  endWine();
  writeFileSync(ready, '');
}

/**
 * Runs a program to its end. Its output goes to a file, because Node under Wine takes no pipe of Linux for it (EBADF);
 * `onOutput` hears of it on the way.
 */
export async function runWine(command, { env = {}, limitMs, onOutput = () => {} }) {
  const file = join(workshop, 'output.log');
  const descriptor = openSync(file, 'w');
  const child = spawn(wineProgram('wine64'), command, {
    cwd: root,
    env: { ...environment, ...env },
    stdio: ['ignore', descriptor, descriptor],
  });
  closeSync(descriptor);
  const reader = openSync(file, 'r');
  const pump = () => onOutput(readOn(reader));
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

function readOn(descriptor) {
  const chunks = [];
  for (;;) {
    const chunk = Buffer.alloc(65_536);
    const count = readSync(descriptor, chunk);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
  }
}

/** Ends every program of the prefix, its server too, and waits for that. */
export function endWine() {
  const server = wineProgram('wineserver64');
  if (!server) return;
  for (const option of ['-k', '-w']) spawnSync(server, [option], { env: environment, timeout: 20_000 });
}
