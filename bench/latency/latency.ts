/**
 * Round trips while the main thread is kept from its event loop for a part of every 100 ms: asleep in Atomics.wait
 * (blocked: a synchronous call, say) or computing (burning). Open loop, so a stall costs every message that was due in it.
 */

import { reportDistribution } from '../echo/charts.js';
import { isAvailable } from '../echo/echo.js';
import type { Load } from '../echo/loads.js';
import { type Measurement, measure } from '../echo/measure.js';
import { BASELINE, CLUSTER, MEASURED, type Peer, RELAY, TRANSFER, WORKERS } from '../echo/peers.js';
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, range, times } from '../lib/format.js';
import type { Report } from '../lib/report.js';
import { interleave } from '../lib/rounds.js';
import { median, ratios, summarize } from '../lib/statistics.js';
import { TARGETS, type Target } from '../targets.js';

const LOAD: Load = {
  label: '20 connections x 64 B, 2000 messages a second',
  connections: 20,
  size: 64,
  depth: 1,
  rate: 2000,
};
const KINDS = ['blocked', 'burning'] as const;
// Windows are whole numbers of the disturbance's periods.
const FULL = {
  all: [MEASURED, WORKERS, BASELINE, RELAY, CLUSTER, TRANSFER],
  busyMs: [0, 30, 60, 90],
  rounds: 5,
  window: { compileMs: 800, warmUpMs: 300, measureMs: 2000 },
};
const QUICK = {
  all: [MEASURED, WORKERS, BASELINE, RELAY, CLUSTER],
  busyMs: [0, 90],
  rounds: 2,
  window: { compileMs: 500, warmUpMs: 200, measureMs: 400 },
};
/** That the targets speak of. */
const BUSY_MS = 90;

/** How the main thread is kept busy. */
interface Disturbance {
  readonly kind: (typeof KINDS)[number];
  readonly busyMs: number;
}

type Results = Map<string, Map<Peer, Measurement[]>>;

export const latency: Comparison = {
  name: 'latency',
  summary: 'round trips of an echo server whose main thread is blocked, or computes, part of the time',

  async run({ quick, report }) {
    const { all, busyMs, rounds, window } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, ${LOAD.label}, open loop; medians of ${rounds} rounds, in us`);
    const peers = all.filter((peer) => isAvailable(peer, report));
    const cases = disturbances(busyMs).flatMap((disturbance) => {
      const title = titleOf(disturbance);
      return peers.map((peer) => ({ label: `${peer.label}, ${title}`, title, peer, disturbance }));
    });
    // All in one: an idle main thread and a blocked one are held against each other.
    const measured = await interleave('latency', cases, rounds, ({ peer, disturbance: { kind, busyMs: ms } }) =>
      measure(peer, LOAD, window, { env: { BENCH_DISTURB: `${kind}:${ms}` } }),
    );
    const results: Results = new Map();
    for (const [{ title, peer }, ofRounds] of measured) {
      results.set(title, (results.get(title) ?? new Map()).set(peer, ofRounds));
    }
    for (const [title, ofPeers] of results) reportOne(report, title, ofPeers);
    reportTargets(report, results);
    for (const kind of KINDS) {
      reportChart(report, kind, busyMs, peers, results);
      const title = titleOf({ kind, busyMs: BUSY_MS });
      reportDistribution(report, title, results.get(title) ?? new Map());
    }
  },
};

function disturbances(busyMs: readonly number[]): Disturbance[] {
  const [idle = 0, ...busy] = busyMs;
  // Nothing is nothing, whichever way.
  return [{ kind: 'blocked', busyMs: idle }, ...KINDS.flatMap((kind) => busy.map((each) => ({ kind, busyMs: each })))];
}

function titleOf({ kind, busyMs }: Disturbance): string {
  return busyMs === 0 ? 'main thread idle' : `main thread ${kind} ${busyMs} of 100 ms`;
}

function reportOne(report: Report, title: string, measured: ReadonlyMap<Peer, readonly Measurement[]>): void {
  const ratio = (rounds: readonly Measurement[]) => median(ratios(p99(rounds), p99(measured.get(BASELINE))));
  report.table(
    [title, 'p50', 'p99', 'range', 'p99.9', 'p99 ratio', 'CPU'],
    [...measured].map(([{ label }, rounds]) => [
      label,
      figure(median(rounds.map((round) => round.p50Us))),
      figure(median(p99(rounds))),
      range(summarize(p99(rounds))),
      figure(median(rounds.map((round) => round.p999Us))),
      times(ratio(rounds)),
      figure(median(rounds.map((round) => round.processCpuUs))),
    ]),
  );
}

function reportTargets(report: Report, results: Results): void {
  const at = (disturbance: Disturbance, peer: Peer) => p99(results.get(titleOf(disturbance))?.get(peer));
  const against = (target: Target, ours: number[], theirs: number[]) =>
    report.verdict(target, summarize(ratios(ours, theirs)));
  const burning: Disturbance = { kind: 'burning', busyMs: BUSY_MS };
  against(
    TARGETS.latencyBlocked,
    at({ kind: 'blocked', busyMs: BUSY_MS }, WORKERS),
    at({ kind: 'blocked', busyMs: 0 }, WORKERS),
  );
  against(TARGETS.latencyCluster, at(burning, WORKERS), at(burning, CLUSTER));
  against(TARGETS.latencyRelay, at(burning, WORKERS), at(burning, RELAY));
}

function reportChart(
  report: Report,
  kind: Disturbance['kind'],
  busyMs: readonly number[],
  peers: readonly Peer[],
  results: Results,
): void {
  report.chart({
    title: `p99 of round trips, main thread ${kind}`,
    shape: 'line',
    axis: `${kind} for so many of every 100 ms`,
    labels: busyMs.map(String),
    unit: 'us',
    logarithmic: true,
    series: peers.map((peer) => ({
      label: peer.label,
      values: busyMs.map((each) => median(p99(results.get(titleOf({ kind, busyMs: each }))?.get(peer)))),
    })),
  });
}

function p99(rounds: readonly Measurement[] = []): number[] {
  return rounds.map((round) => round.p99Us);
}
