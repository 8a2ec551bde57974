/** `npm run bench -- [NAME...] [--quick]`: runs the named comparisons, all of them without a name. */
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { awakener } from './awakener/awakener.js';
import { bulk } from './bulk/bulk.js';
import { crowd } from './crowd/crowd.js';
import { echo } from './echo/echo.js';
import { exit } from './exit/exit.js';
import { few } from './few/few.js';
import { idle } from './idle/idle.js';
import { latency } from './latency/latency.js';
import { backendName } from './lib/backend.js';
import type { Comparison } from './lib/comparison.js';
import { type Run, writeReport } from './lib/page.js';
import { Report } from './lib/report.js';
import { startup } from './startup/startup.js';
import { timer } from './timer/timer.js';
import { udp } from './udp/udp.js';

const COMPARISONS: readonly Comparison[] = [startup, exit, awakener, echo, few, bulk, latency, idle, crowd, udp, timer];

const names = process.argv.slice(2).filter((argument) => argument !== '--quick');
const quick = process.argv.includes('--quick');
const unknown = names.filter((name) => !COMPARISONS.some((each) => each.name === name));

if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(', ')}. npm run bench -- [NAME...] [--quick], where NAME is one of`);
  for (const { name, summary } of COMPARISONS) console.error(`  ${name.padEnd(10)} ${summary}`);
  process.exitCode = 1;
} else {
  await runAll(COMPARISONS.filter(({ name }) => names.length === 0 || names.includes(name)));
}

async function runAll(comparisons: readonly Comparison[]): Promise<void> {
  const cores = availableParallelism();
  const [load = 0] = loadavg();
  const run: Run = {
    date: new Date().toISOString(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    kernel: release(),
    cores,
    cpu: cpus()[0]?.model ?? '',
    backend: await backendName(),
    quick,
    load,
  };
  console.log(`Node ${run.node}, ${run.platform}, ${cores} cores`);
  if (load > cores / 2) console.log(`load ${load.toFixed(1)}: this machine is busy, its figures will not hold`);
  console.log();
  const reports: Report[] = [];
  for (const comparison of comparisons) {
    const report = new Report(comparison.name, comparison.summary);
    reports.push(report);
    await comparison.run({ quick, report });
    console.log();
    // After each, so that a run which is cut short has left what it measured.
    writeReport(run, reports);
  }
  console.log(`written: ${writeReport(run, reports)}`);
}
