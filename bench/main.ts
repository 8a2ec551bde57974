/** `npm run bench -- [NAME...] [--quick]`: runs the named comparisons, all of them without a name. */
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { awakener } from './awakener/awakener.js';
import { bulk } from './bulk/bulk.js';
import { crowd } from './crowd/crowd.js';
import { echo } from './echo/echo.js';
import { exit } from './exit/exit.js';
import { few } from './few/few.js';
import { heap } from './heap/heap.js';
import { idle } from './idle/idle.js';
import { latency } from './latency/latency.js';
import { backendName } from './lib/backend.js';
import type { Comparison } from './lib/comparison.js';
import { type Run, writeReport } from './lib/page.js';
import { Report } from './lib/report.js';
import { formatTable } from './lib/table.js';
import { count, summary, VERDICT_HEAD, type Verdict, verdictRow } from './lib/verdict.js';
import { startup } from './startup/startup.js';
import { TARGETS } from './targets.js';
import { timer } from './timer/timer.js';
import { transfer } from './transfer/transfer.js';
import { udp } from './udp/udp.js';

/** The short ones first. */
const COMPARISONS: readonly Comparison[] = [
  startup,
  exit,
  awakener,
  few,
  transfer,
  bulk,
  crowd,
  idle,
  timer,
  udp,
  heap,
  latency,
  echo,
];

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
  let page = '';
  for (const [at, comparison] of comparisons.entries()) {
    console.error(`${at + 1} of ${comparisons.length}, ${elapsed()}`);
    const report = new Report(comparison.name, comparison.summary);
    reports.push(report);
    await comparison.run({ quick, report });
    console.log();
    // After each, so that a run which is cut short has left what it measured.
    page = writeReport(run, reports, verdictsOf(reports));
  }
  const verdicts = verdictsOf(reports);
  if (verdicts.length > 0) {
    console.log(`== targets: ${count(verdicts)}\n`);
    console.log(`${formatTable(VERDICT_HEAD, verdicts.map(verdictRow))}\n`);
  }
  console.log(`took ${elapsed()}; written: ${page}`);
}

function verdictsOf(reports: readonly Report[]): Verdict[] {
  const measured = reports.flatMap(({ entries }) => entries.filter((entry) => entry.kind === 'verdict'));
  return summary(
    Object.values(TARGETS),
    reports.map(({ name }) => name),
    measured,
  );
}

function elapsed(): string {
  return `${Math.round(performance.now() / 1000)} s`;
}
