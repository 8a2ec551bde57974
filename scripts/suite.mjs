// One run of the suite, judged: what AVA says of each test, which backend really ran, and whether the tests skipped are those that
// test/skips.json names for it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const ava = fileURLToPath(new URL('./cli.mjs', import.meta.resolve('ava')));

/** Compiles the TypeScript; ends the script when that fails. */
export function compile() {
  const { status } = spawnSync('npm', ['run', '--silent', 'build:ts'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

/**
 * `ended` tells the exit status and the output of each AVA that the run was made of, `record` is the file to which tests
 * wrote what backend ran. `skips` are the names in test/skips.json of which the run has to skip each, undefined when only
 * some files ran.
 */
export function judge({ name, backend, ended, record, skips }) {
  const output = ended.map(({ output }) => output).join('\n');
  const unwell = ended.filter(({ status }) => status !== 0);
  const ran = [...new Set(readOr(record, '').split('\n').filter(Boolean))].sort().join(', ') || 'none';
  const skipped = titles(output, '- \\[skip\\]').sort();
  const failed = titles(output, '[✘×] \\[fail\\]:');
  const complaints = [];
  for (const { status } of unwell) complaints.push(`${name}: the test runner ended with ${status}`);
  for (const title of failed) complaints.push(`${name}: ${title}`);
  // Files that leave the I/O thread to processes of their own record nothing.
  const unsaid = ran === 'none' && skips === undefined;
  if (ran !== backend && !unsaid) complaints.push(`${name}: the backend that really ran is ${ran}`);
  if (skips !== undefined) complaints.push(...skipComplaints(name, skips, skipped));
  return {
    name: ran === backend ? name : `${name} (${ran} ran)`,
    passed: titles(output, '[✔√]').length,
    failed: failed.length,
    skipped,
    complaints,
    account: unwell.map(({ output }) => accountOfFailures(output)).join(''),
  };
}

/**
 * What failed, once more, because thousands of lines may have come after it; each run's result in a line; then the totals
 * as a TAP stream ends, for programs that read them. Sets the script's exit code.
 */
export function report(results) {
  for (const { name, account } of results) if (account) console.log(`\n--- what failed on ${name} ---\n${account}`);
  console.log();
  for (const { name, passed, failed, skipped } of results) {
    console.log(`  ${name}: ${passed} tests passed, ${failed} failed, ${skipped.length} skipped`);
  }
  const total = (of) => results.reduce((sum, result) => sum + of(result), 0);
  const [passed, failed] = [total((result) => result.passed), total((result) => result.failed)];
  const skipped = total((result) => result.skipped.length);
  const tests = passed + failed + skipped;
  console.log(`\n1..${tests}\n# tests ${tests}\n# pass ${passed}\n# skip ${skipped}\n# fail ${failed}`);
  const complaints = results.flatMap((result) => result.complaints);
  for (const complaint of complaints) console.log(`FAILED: ${complaint}`);
  process.exitCode = complaints.length === 0 ? 0 : 1;
}

/** Of the tests that AVA marked so, with the mark of either kind of terminal. Its summary does not say what passed when something failed. */
function titles(output, mark) {
  return [...output.matchAll(new RegExp(`^\\s*${mark} (.*?)\\s*$`, 'gm'))].map(([, title]) => title);
}

/**
 * AVA tells of them between a rule and its summary; without a rule it was ended, and its last lines have to do. Calls of
 * AVA itself are left out: they say nothing, and may be most of what the end of a log has room for.
 */
function accountOfFailures(output) {
  const rule = /^ *─+$/m.exec(output);
  const account = rule ? output.slice(rule.index) : output.split('\n').slice(-20).join('\n');
  return account.replace(/^ +at .*node_modules\/ava\/.*\n/gm, '').replace(/\n{3,}/g, '\n\n');
}

function skipComplaints(name, skips, skipped) {
  const listed = JSON.parse(readFileSync(join(root, 'test/skips.json'), 'utf8'));
  const expected = skips.flatMap((each) => Object.keys(listed[each] ?? {})).sort();
  const [unexpected, missing] = [
    skipped.filter((title) => !expected.includes(title)),
    expected.filter((title) => !skipped.includes(title)),
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
