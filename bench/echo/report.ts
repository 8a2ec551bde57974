/** The tables of the echo comparison. */
import { figure, range, times, verdict } from '../lib/format.js';
import { geometricMean, median, summarize } from '../lib/statistics.js';
import { printTable, type Row } from '../lib/table.js';
import type { Load } from './loads.js';
import type { Measurement } from './measure.js';
import { BASELINE, MEASURED, type Peer } from './peers.js';

export type Results = ReadonlyMap<Load, ReadonlyMap<Peer, readonly Measurement[]>>;

const SATURATED_CORE = 0.95;
const TARGETS = { throughput: 1.5, processCpu: 0.7, mainCpu: 0.12 };

/** Medians of one load; latencies in microseconds, CPU in microseconds per message. */
export function printLoad(load: Load, results: Results): void {
  const head = ['thousand/s', 'range', 'p50', 'p99', 'p99.9', 'CPU', 'main CPU', 'generator'];
  const rows = [...(results.get(load) ?? [])].map(([peer, rounds]) => row(peer, rounds));
  printTable([load.label, ...head], rows);
}

function row(peer: Peer, rounds: readonly Measurement[]): Row {
  const of = (name: keyof Measurement) => rounds.map((round) => round[name]);
  const throughput = summarize(of('perSecond').map((perSecond) => perSecond / 1000));
  const saturated = rounds.filter(({ generatorCore }) => generatorCore > SATURATED_CORE).length;
  const mark = saturated > 0 ? ` !${saturated}` : '';
  return [
    peer.label,
    figure(throughput.median),
    range(throughput),
    ...(['p50Us', 'p99Us', 'p999Us', 'processCpuUs', 'mainCpuUs'] as const).map((name) => figure(median(of(name)))),
    `${figure(100 * median(of('generatorCore')))} %${mark}`,
  ];
}

/** Geometric means of the loads' ratios to the baseline, then the targets. */
export function printRatios(loads: readonly Load[], results: Results): void {
  const peers = [...(results.get(loads[0] as Load)?.keys() ?? [])];
  const mean = (peer: Peer, name: keyof Measurement) =>
    geometricMean(loads.map((load) => ratio(name, results.get(load)?.get(peer), results.get(load)?.get(BASELINE))));
  printTable(
    [`ratio to ${BASELINE.label}, geometric mean of ${loads.length} loads`, 'throughput', 'p50', 'CPU', 'main CPU'],
    peers.map((peer) => [
      peer.label,
      ...(['perSecond', 'p50Us', 'processCpuUs', 'mainCpuUs'] as const).map((name) => times(mean(peer, name))),
    ]),
  );
  console.log(`${MEASURED.label}, against ${BASELINE.label}:`);
  console.log(verdict('throughput', mean(MEASURED, 'perSecond'), '>=', TARGETS.throughput));
  console.log(verdict('process CPU per message', mean(MEASURED, 'processCpuUs'), '<=', TARGETS.processCpu));
  console.log(verdict('main-thread CPU per message', mean(MEASURED, 'mainCpuUs'), '<=', TARGETS.mainCpu));
  console.log();
}

/** The median of the rounds' ratios: both sides of each met about the same moment of the machine. */
function ratio(
  name: keyof Measurement,
  rounds: readonly Measurement[] = [],
  baseline: readonly Measurement[] = [],
): number {
  return median(rounds.map((round, index) => round[name] / (baseline[index]?.[name] ?? Number.NaN)));
}
