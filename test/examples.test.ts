/** The examples run as their comments say, end by themselves, and print what they promise. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { runNode } from './util/child.js';

const folder = fileURLToPath(new URL('../examples/', import.meta.url));
/** Each with a test of its own elsewhere. */
const TESTED_ELSEWHERE = ['demo', 'echo-pool'];

const examples: Record<string, RegExp> = {
  'udp-collector': /^2000 datagrams, 2000 requests\nthe longest waited \d+ ms for this thread\n$/,
  timer: /^\d+ beats heard in \d+ wakes, then the deadline\n$/,
  'sync-client': /^200: you asked for \/a\n200: you asked for \/b\n.*ECONNREFUSED 127\.0\.0\.1:1\n$/,
  chat: /^(ada was here, ben was here, cy was here\n){3}$/,
  'custom-source': /^one: [0-9a-f]{32}\nthree: [0-9a-f]{32}\ntwo: [0-9a-f]{32}\n$/,
};

for (const [name, output] of Object.entries(examples)) {
  test(`the example ${name} does what it says`, async (t) => {
    const { status, stdout, stderr, hung } = await runNode([`${folder}${name}/main.js`], {}, 30_000);
    t.false(hung);
    t.is(stderr, '');
    t.regex(stdout, output);
    t.is(status, 0);
  });
}

test('every example is run by a test', (t) => {
  const present = readdirSync(folder).filter((name) => !name.includes('.'));
  t.deepEqual(present.sort(), [...Object.keys(examples), ...TESTED_ELSEWHERE].sort());
});
