/** The tables of the echo comparison. */
import { figure, range, times } from '../lib/format.js';
import type { Report } from '../lib/report.js';
import { median, ratios, type Summary, summarize, summarizeMean } from '../lib/statistics.js';
import type { Row } from '../lib/table.js';
import { TARGETS, type Target } from '../targets.js';
import type { Load } from './loads.js';
import type { Measurement } from './measure.js';
import { BASELINE, C_URING, CLUSTER, MEASURED, type Peer, READING, RELAY, SHARED, TRANSFER, WORKERS } from './peers.js';

/** What of a measurement is a single number. */
type Figure = Exclude<keyof Measurement, 'latencies' | 'cpuUs'>;

export type Results = ReadonlyMap<Load, ReadonlyMap<Peer, readonly Measurement[]>>;

const SATURATED_CORE = 0.95;

/** Medians of one load; latencies in microseconds, CPU in microseconds per message. */
export function reportLoad(report: Report, load: Load, results: Results): void {
  const measured = results.get(load) ?? new Map<Peer, readonly Measurement[]>();
  const head = ['thousand/s', 'range', 'p50', 'p99', 'p99.9', 'CPU', 'main CPU', 'generator'];
  report.table(
    [load.label, ...head],
    [...measured].map(([peer, rounds]) => row(peer, rounds)),
  );
  // The distributions are many, and in the charts.
  const withoutLatencies = (rounds: readonly Measurement[]) => rounds.map(({ latencies: _, ...others }) => others);
  report.data(load.label, new Map([...measured].map(([peer, rounds]) => [peer, withoutLatencies(rounds)])));
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

/** Means of the loads' ratios to the baseline, then the targets. */
export function reportRatios(report: Report, loads: readonly Load[], results: Results): void {
  const peers = [...(results.get(loads[0] as Load)?.keys() ?? [])];
  const mean = (name: Figure, peer: Peer, baseline = BASELINE) =>
    summarizeMean(loads.map((load) => ratiosOf(name, load, peer, baseline, results)));
  report.table(
    [
      `ratio to ${BASELINE.label}, geometric mean of ${loads.length} loads`,
      'throughput',
      'range',
      'p50',
      'CPU',
      'main CPU',
    ],
    peers.map((peer) => {
      const throughput = mean('perSecond', peer);
      const others = (['p50Us', 'processCpuUs', 'mainCpuUs'] as const).map((name) => times(mean(name, peer).median));
      return [peer.label, times(throughput.median), range(throughput), ...others];
    }),
  );
  report.verdict(TARGETS.throughput, mean('perSecond', MEASURED));
  const worst = worstLoad(loads, (load) => summarize(ratiosOf('perSecond', load, MEASURED, BASELINE, results)));
  report.verdict(TARGETS.singleLoad, worst.ratio, worst.load.label);
  report.verdict(TARGETS.processCpu, mean('processCpuUs', MEASURED));
  report.verdict(TARGETS.mainCpu, mean('mainCpuUs', MEASURED));
  for (const [target, peer, baseline] of THROUGHPUTS) report.verdict(target, mean('perSecond', peer, baseline));
}

/** Who is held against whom. */
const THROUGHPUTS: readonly (readonly [Target, Peer, Peer])[] = [
  [TARGETS.readThroughput, READING, BASELINE],
  [TARGETS.uringThroughput, MEASURED, C_URING],
  [TARGETS.workersRelay, WORKERS, RELAY],
  [TARGETS.workersTransfer, WORKERS, TRANSFER],
  [TARGETS.workersCluster, WORKERS, CLUSTER],
  [TARGETS.sharedRelay, SHARED, RELAY],
  [TARGETS.sharedTransfer, SHARED, TRANSFER],
  [TARGETS.sharedCluster, SHARED, CLUSTER],
];

function worstLoad(loads: readonly Load[], ratioOf: (load: Load) => Summary): { load: Load; ratio: Summary } {
  const all = loads.map((load) => ({ load, ratio: ratioOf(load) }));
  return all.reduce((worst, each) => (each.ratio.median < worst.ratio.median ? each : worst));
}

/** One per round; none of a peer that was left out. */
export function ratiosOf(name: Figure, load: Load, peer: Peer, baseline: Peer, results: Results): number[] {
  const of = (each: Peer) => (results.get(load)?.get(each) ?? []).map((round) => round[name]);
  return ratios(of(peer), of(baseline));
}
