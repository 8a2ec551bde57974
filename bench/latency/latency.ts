/**
 * Round trips while the main thread is kept from its event loop for a part of every 100 ms: asleep in Atomics.wait
 * (blocked: a synchronous call, say) or computing (burning). Open loop, so a stall costs every message that was due in it.
 */
import { isAvailable } from '../echo/echo.js';
import type { Load } from '../echo/loads.js';
import { type Measurement, measure } from '../echo/measure.js';
import { BASELINE, CLUSTER, MEASURED, type Peer, RELAY, TRANSFER, WORKERS } from '../echo/peers.js';
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, times } from '../lib/format.js';
import type { Report } from '../lib/report.js';
import { interleave } from '../lib/rounds.js';
import { median } from '../lib/statistics.js';

const LOAD: Load = {
  label: '20 connections x 64 B, 2000 messages a second',
  connections: 20,
  size: 64,
  depth: 1,
  rate: 2000,
};
const KINDS = ['blocked', 'burning'] as const;
const FULL = { busyMs: [0, 30, 60, 90], rounds: 5, window: { warmUpMs: 300, measureMs: 2000 } };
const QUICK = { busyMs: [0, 90], rounds: 3, window: { warmUpMs: 300, measureMs: 1000 } };
/** p99 with a main thread blocked for 90 of 100 ms against the same with an idle one; and against others beside the same burner. */
const TARGETS = { blocked: 1.3, burning: 0.8 };

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
    const { busyMs, rounds, window } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, ${LOAD.label}, open loop; medians of ${rounds} rounds, in us`);
    const peers = [MEASURED, WORKERS, BASELINE, RELAY, CLUSTER, TRANSFER].filter((peer) => isAvailable(peer, report));
    const results: Results = new Map();
    for (const disturbance of disturbances(busyMs)) {
      const env = { BENCH_DISTURB: `${disturbance.kind}:${disturbance.busyMs}` };
      const title = titleOf(disturbance);
      const measured = await interleave(`latency, ${title}`, peers, rounds, (peer) =>
        measure(peer, LOAD, window, { env }),
      );
      results.set(title, measured);
      reportOne(report, title, measured);
    }
    reportTargets(report, results);
    for (const kind of KINDS) reportChart(report, kind, busyMs, peers, results);
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
  const theirs = p99(measured.get(BASELINE));
  report.table(
    [title, 'p50', 'p99', 'p99.9', 'p99 ratio', 'CPU'],
    [...measured].map(([{ label }, rounds]) => [
      label,
      figure(median(rounds.map((round) => round.p50Us))),
      figure(p99(rounds)),
      figure(median(rounds.map((round) => round.p999Us))),
      times(p99(rounds) / theirs),
      figure(median(rounds.map((round) => round.processCpuUs))),
    ]),
  );
}

function reportTargets(report: Report, results: Results): void {
  const at = (disturbance: Disturbance, peer: Peer) => p99(results.get(titleOf(disturbance))?.get(peer));
  const idle = at({ kind: 'blocked', busyMs: 0 }, WORKERS);
  const blocked = at({ kind: 'blocked', busyMs: 90 }, WORKERS);
  report.verdict(
    'p99, handlers in workers, main thread blocked 90 %, against an idle one',
    blocked / idle,
    '<=',
    TARGETS.blocked,
  );
  const burning = at({ kind: 'burning', busyMs: 90 }, WORKERS);
  for (const peer of [CLUSTER, RELAY]) {
    const theirs = at({ kind: 'burning', busyMs: 90 }, peer);
    report.verdict(
      `p99, handlers in workers, main thread burning 90 %, against ${peer.label}`,
      burning / theirs,
      '<=',
      TARGETS.burning,
    );
  }
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
      values: busyMs.map((each) => p99(results.get(titleOf({ kind, busyMs: each }))?.get(peer))),
    })),
  });
}

function p99(rounds: readonly Measurement[] = []): number {
  return median(rounds.map((round) => round.p99Us));
}
