// `npm test`: compiles, runs the whole suite over every backend of this system, and the first once more in worker
// threads. Prints the runner's own output, which backend really ran, and how many tests. Fails when a test
// fails, when another backend ran than the one forced, or when the tests skipped are not those of test/skips.json.
//
// `npm test -- FILE...` runs only these (and does not compare skips); SIDEPORT_BACKEND restricts it to one backend.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'sideport-test-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

if (spawnSync('npm', ['run', '--silent', 'build:ts'], { cwd: root, stdio: 'inherit' }).status !== 0) process.exit(1);

const backends = process.env.SIDEPORT_BACKEND ? [process.env.SIDEPORT_BACKEND] : await backendsHere();
const runs = backends.map((backend) => ({ name: backend, backend, threads: false }));
if (!process.env.SIDEPORT_BACKEND)
  runs.push({ name: `${backends[0]} in worker threads`, backend: backends[0], threads: true });

const results = [];
for (const one of runs) results.push(await run(one));

// In the runner's own words, each backend's last line once more.
console.log();
for (const { name, ran, passed, failed, skipped } of results) {
  const counts = [`${passed} tests passed`, `${failed} failed`, `${skipped.length} skipped`];
  console.log(`  ${ran === name ? name : `${name} (${ran} ran)`}: ${counts.join(', ')}`);
}
const complaints = results.flatMap((result) => result.complaints);
for (const complaint of complaints) console.log(`FAILED: ${complaint}`);
process.exitCode = complaints.length === 0 ? 0 : 1;

/** Those that the addon can open on this system, best first. */
async function backendsHere() {
  const { loadAddon } = await import(join(root, 'dist/src/native.js'));
  const names = ['io_uring', 'epoll', 'poll'];
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
  const ava = fileURLToPath(new URL('./cli.mjs', import.meta.resolve('ava')));
  const env = {
    ...process.env,
    SIDEPORT_BACKEND: backend,
    SIDEPORT_TEST_RECORD: record,
    SIDEPORT_TEST_THREADS: threads ? '1' : '0',
  };
  const child = spawn(process.execPath, [ava, ...files], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += bytes;
    process.stdout.write(bytes);
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  const ran = [...new Set(readOr(record, '').split('\n').filter(Boolean))].sort().join(', ') || 'none';
  const skipped = [...output.matchAll(/^\s*- \[skip\] (.*?)\s*$/gm)].map((match) => match[1]).sort();
  const complaints = [];
  if (status !== 0) complaints.push(`${name}: the test runner ended with ${status}`);
  if (ran !== backend) complaints.push(`${name}: the backend that really ran is ${ran}`);
  if (files.length === 0) complaints.push(...skipComplaints(name, skipped));
  return {
    name,
    ran: ran === backend ? name : ran,
    passed: count(output, 'passed'),
    failed: count(output, 'failed'),
    skipped,
    complaints,
  };
}

/** AVA's own summary, which names what passed only when nothing failed: `1 test failed`. */
function count(output, what) {
  return Number(new RegExp(`^\\s*(\\d+) tests? ${what}`, 'm').exec(output)?.[1] ?? 0);
}

function skipComplaints(name, skipped) {
  const expected = Object.keys(JSON.parse(readFileSync(join(root, 'test/skips.json'), 'utf8'))[name] ?? {}).sort();
  const [unexpected, missing] = [
    skipped.filter((t) => !expected.includes(t)),
    expected.filter((t) => !skipped.includes(t)),
  ];
  return [
    ...unexpected.map((title) => `${name}: skipped, but not in test/skips.json: ${title}`),
    ...missing.map((title) => `${name}: in test/skips.json, but not skipped: ${title}`),
  ];
}

function readOr(file, fallback) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}
