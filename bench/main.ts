/** `npm run bench -- [NAME...] [--quick]`: runs the named comparisons, all of them without a name. */
import { availableParallelism, loadavg } from 'node:os';
import { awakener } from './awakener/awakener.js';
import { echo } from './echo/echo.js';
import { exit } from './exit/exit.js';
import { idle } from './idle/idle.js';
import type { Comparison } from './lib/comparison.js';

const COMPARISONS: readonly Comparison[] = [exit, awakener, echo, idle];

const names = process.argv.slice(2).filter((argument) => argument !== '--quick');
const quick = process.argv.includes('--quick');
const unknown = names.filter((name) => !COMPARISONS.some((each) => each.name === name));

if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(', ')}. npm run bench -- [NAME...] [--quick], where NAME is one of`);
  for (const { name, summary } of COMPARISONS) console.error(`  ${name.padEnd(10)} ${summary}`);
  process.exitCode = 1;
} else {
  const cores = availableParallelism();
  console.log(`Node ${process.versions.node}, ${process.platform} ${process.arch}, ${cores} cores`);
  const [load = 0] = loadavg();
  if (load > cores / 2) console.log(`load ${load.toFixed(1)}: this machine is busy, its figures will not hold`);
  console.log();
  for (const comparison of COMPARISONS) {
    if (names.length > 0 && !names.includes(comparison.name)) continue;
    console.log(`== ${comparison.name}: ${comparison.summary}\n`);
    await comparison.run({ quick });
  }
}
