/** The tables of the echo comparison. */
import { figure, range, times } from '../lib/format.js';
import type { Report } from '../lib/report.js';
import { geometricMean, median, summarize } from '../lib/statistics.js';
import type { Row } from '../lib/table.js';
import type { Load } from './loads.js';
import { type Measurement, PERCENTILES } from './measure.js';
import { BASELINE, MEASURED, type Peer } from './peers.js';

/** What of a measurement is a single number. */
type Figure = Exclude<keyof Measurement, 'percentilesUs'>;

export type Results = ReadonlyMap<Load, ReadonlyMap<Peer, readonly Measurement[]>>;

const SATURATED_CORE = 0.95;
const TARGETS = { throughput: 1.5, processCpu: 0.7, mainCpu: 0.12 };

/** Medians of one load; latencies in microseconds, CPU in microseconds per message. */
export function reportLoad(report: Report, load: Load, results: Results): void {
  const head = ['thousand/s', 'range', 'p50', 'p99', 'p99.9', 'CPU', 'main CPU', 'generator'];
  const rows = [...(results.get(load) ?? [])].map(([peer, rounds]) => row(peer, rounds));
  report.table([load.label, ...head], rows);
}

function row(peer: Peer, rounds: readonly Measurement[]): Row {
  const of = (name: Figure) => rounds.map((round) => round[name]);
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
export function reportRatios(report: Report, loads: readonly Load[], results: Results): void {
  const peers = [...(results.get(loads[0] as Load)?.keys() ?? [])];
  const mean = (peer: Peer, name: Figure) =>
    geometricMean(loads.map((load) => ratio(name, results.get(load)?.get(peer), results.get(load)?.get(BASELINE))));
  report.table(
    [`ratio to ${BASELINE.label}, geometric mean of ${loads.length} loads`, 'throughput', 'p50', 'CPU', 'main CPU'],
    peers.map((peer) => [
      peer.label,
      ...(['perSecond', 'p50Us', 'processCpuUs', 'mainCpuUs'] as const).map((name) => times(mean(peer, name))),
    ]),
  );
  report.note(`${MEASURED.label}, against ${BASELINE.label}:`);
  report.verdict('throughput', mean(MEASURED, 'perSecond'), '>=', TARGETS.throughput);
  report.verdict('process CPU per message', mean(MEASURED, 'processCpuUs'), '<=', TARGETS.processCpu);
  report.verdict('main-thread CPU per message', mean(MEASURED, 'mainCpuUs'), '<=', TARGETS.mainCpu);
}

/** Throughput by load, and what a message costs, by thread. */
export function reportCharts(report: Report, loads: readonly Load[], results: Results): void {
  const peers = [...(results.get(loads[0] as Load)?.keys() ?? [])];
  const labels = loads.map(({ label }) => label);
  const of = (load: Load, peer: Peer, figureOf: (round: Measurement) => number) =>
    median((results.get(load)?.get(peer) ?? []).map(figureOf));
  report.chart({
    title: 'Throughput, times that of node:net',
    shape: 'bar',
    axis: '',
    labels,
    unit: 'ratio',
    series: peers.map((peer) => ({
      label: peer.label,
      values: loads.map((load) => ratio('perSecond', results.get(load)?.get(peer), results.get(load)?.get(BASELINE))),
    })),
  });
  const [small = loads[0] as Load] = loads;
  report.chart({
    title: `CPU per message, ${small.label}`,
    shape: 'bar',
    axis: '',
    labels: peers.map(({ label }) => label),
    unit: 'us',
    series: [
      { label: 'main threads', stack: 'cpu', values: peers.map((peer) => of(small, peer, (round) => round.mainCpuUs)) },
      {
        label: 'other threads',
        stack: 'cpu',
        values: peers.map((peer) => of(small, peer, (round) => round.processCpuUs - round.mainCpuUs)),
      },
    ],
  });
  report.chart({
    title: `Latency distribution, ${small.label}`,
    shape: 'line',
    axis: 'percentile',
    labels: PERCENTILES.map(String),
    unit: 'us',
    logarithmic: true,
    series: peers.map((peer) => ({
      label: peer.label,
      values: PERCENTILES.map((_, at) => of(small, peer, ({ percentilesUs }) => percentilesUs[at] ?? Number.NaN)),
    })),
  });
}

/** The median of the rounds' ratios: both sides of each met about the same moment of the machine. */
export function ratio(
  name: Figure,
  rounds: readonly Measurement[] = [],
  baseline: readonly Measurement[] = [],
): number {
  return median(rounds.map((round, index) => round[name] / (baseline[index]?.[name] ?? Number.NaN)));
}
