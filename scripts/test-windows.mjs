// `npm run test:windows`: builds the addon for Windows and runs the same suite on its completion port, under Wine. What
// it needs is fetched at the first run (see scripts/windows): a cross compiler and Wine from Debian, Node for Windows from
// npm, a Wine prefix; all but Debian's packages goes to `.windows/` in the checkout.
//
// `npm run test:windows -- --node 22 --repeat 5 FILE...`: another version of Node (20 by default), the suite several times
// over, only some files. Fails when a test fails, when another backend than iocp ran, when the tests skipped are not
// those of test/skips.json, or when a run takes longer than its limit.
import { mkdirSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ava, compile, judge, report, root } from './suite.mjs';
import { buildForWindows } from './windows/build.mjs';
import { installPackages } from './windows/debian.mjs';
import { workshop } from './windows/folders.mjs';
import { lanes } from './windows/lanes.mjs';
import { nodeForWindows } from './windows/packages.mjs';
import { endWine, preparePrefix, runWine } from './windows/wine.mjs';

const RUN_LIMIT_MS = 15 * 60_000;
/** An echo takes 1.2 ms under Wine: message counts are scaled down, unless the caller says otherwise. */
const SCALE = process.env.SIDEPORT_TEST_SCALE ?? '0.1';

const { values, positionals: files } = parseArgs({
  options: { node: { type: 'string', default: '20' }, repeat: { type: 'string', default: '1' } },
  allowPositionals: true,
});
const rounds = Number(values.repeat);
if (!/^\d+$/.test(values.node) || !(rounds >= 1)) {
  console.error('usage: npm run test:windows -- [--node 20|22] [--repeat N] [FILE...]');
  process.exit(2);
}

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
process.on('exit', endWine);

mkdirSync(workshop, { recursive: true });
installPackages();
const node = nodeForWindows(values.node);
compile();
console.log('compiling for Windows');
const prebuild = await buildForWindows();
console.log('preparing Wine');
await preparePrefix();

const results = [];
for (let round = 1; round <= rounds; round++) results.push(await run(round));
report(results);

async function run(round) {
  const name = `iocp under Wine, Node ${values.node}${rounds > 1 ? `, run ${round}` : ''}`;
  console.log(`\n--- ${name} ---`);
  const record = `${workshop}/record`;
  rmSync(record, { force: true });
  const env = {
    // What makes a Node of this system its own is none of the other one's.
    NODE_OPTIONS: '',
    SIDEPORT_BACKEND: 'iocp',
    SIDEPORT_PREBUILD: prebuild,
    SIDEPORT_TEST_RECORD: record,
    SIDEPORT_TEST_SCALE: SCALE,
    SIDEPORT_TEST_THREADS: '0',
    SIDEPORT_TEST_WINE: '1',
  };
  const runs = (files.length > 0 ? [files] : lanes()).map((lane, number) =>
    runWine([node, relative(root, ava), ...lane], {
      name: `lane-${number}`,
      env,
      limitMs: RUN_LIMIT_MS,
      onOutput: (text) => process.stdout.write(text),
    }),
  );
  const ended = await Promise.all(runs);
  endWine();
  const skips = files.length > 0 ? undefined : ['iocp under Wine'];
  return judge({ name, backend: 'iocp', ended, record, skips });
}
