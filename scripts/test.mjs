// `npm test`: compiles, runs the whole suite over every backend of this system, and the first once more in worker
// threads. Prints the runner's own output, which backend really ran, and how many tests. Fails when a test
// fails, when another backend ran than the one forced, or when the tests skipped are not those of test/skips.json.
//
// `npm test -- FILE...` runs only these (and does not compare skips); SIDEPORT_BACKEND restricts it to one backend.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ava, compile, judge, report, root } from './suite.mjs';

const files = process.argv.slice(2);
/** What no backend of it can have. */
const system = process.platform === 'win32' ? 'Windows' : 'POSIX';
const scratch = mkdtempSync(join(tmpdir(), 'sideport-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

compile();
const backends = process.env.SIDEPORT_BACKEND ? [process.env.SIDEPORT_BACKEND] : await backendsHere();
const runs = backends.map((backend) => ({ name: backend, backend, threads: false }));
if (!process.env.SIDEPORT_BACKEND)
  runs.push({ name: `${backends[0]} in worker threads`, backend: backends[0], threads: true });

const results = [];
for (const one of runs) results.push(await run(one));
report(results);

/** Those that the addon can open on this system, best first. */
async function backendsHere() {
  const { loadAddon } = await import(pathToFileURL(join(root, 'dist/src/native.js')));
  const names = ['iocp', 'io_uring', 'epoll', 'poll'];
  return names.filter((name) => {
    try {
      return loadAddon().openPort(name, 16, 16).close();
    } catch {
      return false;
    }
  });
}

async function run({ name, backend, threads }) {
  console.log(`\n--- ${name} ---`);
  const record = join(scratch, name.replaceAll(' ', '-'));
  const env = {
    ...process.env,
    SIDEPORT_BACKEND: backend,
    SIDEPORT_TEST_RECORD: record,
    SIDEPORT_TEST_THREADS: threads ? '1' : '0',
  };
  const preload = threads ? ['--import', new URL('untracked-descriptors.mjs', import.meta.url).href] : [];
  const child = spawn(process.execPath, [...preload, ava, ...files], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += bytes;
    process.stdout.write(bytes);
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  const skips = files.length > 0 ? undefined : [system, name];
  return judge({ name, backend, ended: [{ status, output }], record, skips });
}
