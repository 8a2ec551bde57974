/** The charts of the echo comparison, and of others that measure the same. */
import { merge, quantileOf } from '../lib/histogram.js';
import type { Report } from '../lib/report.js';
import { median, ratios } from '../lib/statistics.js';
import { ROLES } from '../lib/thread-names.js';
import type { Load } from './loads.js';
import type { Measurement } from './measure.js';
import { BASELINE, type Peer } from './peers.js';
import type { Results } from './report.js';

/** On the axis of a distribution. */
const PERCENTILES = [1, 5, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99] as const;

/** Throughput by load, what a message costs, by thread, and latencies of few small and of many large messages. */
export function reportCharts(report: Report, loads: readonly Load[], results: Results): void {
  const [first = loads[0] as Load] = loads;
  const last = loads.at(-1) ?? first;
  reportThroughput(report, loads, results);
  for (const load of new Set([first, last])) {
    const measured = results.get(load) ?? new Map<Peer, readonly Measurement[]>();
    reportCpu(report, load.label, measured);
    reportDistribution(report, load.label, measured);
  }
}

function reportThroughput(report: Report, loads: readonly Load[], results: Results): void {
  const peers = [...(results.get(loads[0] as Load)?.keys() ?? [])];
  const perSecond = (load: Load, peer: Peer) =>
    (results.get(load)?.get(peer) ?? []).map((round) => round.perSecond / 1000);
  const chart = (title: string, unit: string, logarithmic: boolean, value: (load: Load, peer: Peer) => number[]) =>
    report.chart({
      title,
      shape: 'bar',
      axis: 'connections x message size, depth',
      labels: loads.map(({ label }) => label),
      unit,
      logarithmic,
      series: peers.map(({ label }, at) => ({
        label,
        values: loads.map((load) => median(value(load, peers[at] as Peer))),
      })),
    });
  chart('Throughput by connections and size', 'thousand messages a second', true, perSecond);
  chart('Throughput, times that of node:net', 'ratio', false, (load, peer) =>
    ratios(perSecond(load, peer), perSecond(load, BASELINE)),
  );
}

function reportCpu(report: Report, title: string, measured: ReadonlyMap<Peer, readonly Measurement[]>): void {
  report.chart({
    title: `CPU per message by thread, ${title}`,
    shape: 'bar',
    axis: '',
    labels: [...measured.keys()].map(({ label }) => label),
    unit: 'us',
    series: ROLES.map((role) => ({
      label: role,
      stack: 'cpu',
      values: [...measured.values()].map((rounds) => median(rounds.map(({ cpuUs }) => cpuUs[role]))),
    })),
  });
}

/** Of all rounds together. */
export function reportDistribution(
  report: Report,
  title: string,
  measured: ReadonlyMap<Peer, readonly Measurement[]>,
): void {
  report.chart({
    title: `Latency distribution, ${title}`,
    shape: 'line',
    axis: 'percentile',
    labels: PERCENTILES.map(String),
    unit: 'us',
    logarithmic: true,
    series: [...measured].map(([{ label }, rounds]) => {
      const latencies = merge(rounds.map((round) => round.latencies));
      return { label, values: PERCENTILES.map((percentile) => quantileOf(latencies, percentile / 100) / 1000) };
    }),
  });
}
