/** The README's examples run exactly as printed, end by themselves, and print what it says. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { runNode } from './util/child.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Every JavaScript block, and the block of its output that comes before the next one. */
const examples = readme
  .split(/^```js\n/m)
  .slice(1)
  .map((part) => {
    const [, code = '', rest = ''] = /^([\s\S]*?\n)```\n([\s\S]*)$/.exec(part) ?? [];
    return { code, output: /^```text\n([\s\S]*?\n)```$/m.exec(rest)?.[1] };
  });

test('the README has both examples', (t) => {
  t.is(examples.length, 2);
});

for (const [at, { code, output }] of examples.entries()) {
  test(`example ${at + 1} of the README runs as printed`, async (t) => {
    // Inside the package, where its own name resolves to itself; in dist, which git does not see.
    const folder = mkdtempSync(join(root, 'dist', 'readme-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'example.mjs');
    writeFileSync(file, code);
    const { status, stdout, stderr, hung } = await runNode([file]);
    t.false(hung);
    t.is(stderr, '');
    t.is(stdout, output ?? 'an output that the README prints');
    t.is(status, 0);
  });
}
