/** Connections that change threads: what a move costs, and what handlers on two threads are worth. */
import { isAvailable } from '../echo/echo.js';
import { LOADS, LOADS_QUICK, type Load } from '../echo/loads.js';
import { type Measurement, measure } from '../echo/measure.js';
import { BASELINE, CLUSTER, MEASURED, MOVED, type Peer, RELAY, SHARED, TRANSFER } from '../echo/peers.js';
import { type Results, ratio, reportLoad } from '../echo/report.js';
import { backendName } from '../lib/backend.js';
import { outputOf, startScript } from '../lib/children.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, range, times } from '../lib/format.js';
import type { Report } from '../lib/report.js';
import { interleave } from '../lib/rounds.js';
import { geometricMean, median, summarize } from '../lib/statistics.js';
import { measureFresh } from './fresh.js';

const FULL = { rounds: 5, connections: 1000, moves: 4000, loads: LOADS, window: { warmUpMs: 300, measureMs: 700 } };
const QUICK = {
  rounds: 3,
  connections: 300,
  moves: 1000,
  loads: LOADS_QUICK,
  window: { warmUpMs: 200, measureMs: 400 },
};
const LIMIT_MS = 60_000;

/** Throughput over a shared listener against what a user would pick instead. */
const TARGETS: readonly (readonly [Peer, number])[] = [
  [CLUSTER, 1.3],
  [TRANSFER, 1.3],
  [RELAY, 2.5],
];

export const transfer: Comparison = {
  name: 'transfer',
  summary: 'connections that change threads: cost of a move; echo in 2 workers over a shared listener, against others',

  async run({ quick, report }) {
    const { rounds, connections, moves, loads, window } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds`);
    const fresh = [BASELINE, MEASURED, MOVED, SHARED, TRANSFER, RELAY].filter((peer) => isAvailable(peer, report));
    await reportFresh(report, fresh, rounds, connections);
    await reportMoves(report, rounds, moves);
    const peers = [SHARED, MOVED, ...TARGETS.map(([peer]) => peer)].filter(
      (peer) => peer === CLUSTER || peer === SHARED || fresh.includes(peer),
    );
    const results = new Map<Load, Map<Peer, Measurement[]>>();
    for (const load of loads) {
      results.set(
        load,
        await interleave(`transfer, ${load.label}`, peers, rounds, (peer) => measure(peer, load, window)),
      );
      reportLoad(report, load, results);
    }
    reportTargets(report, peers, loads, results);
  },
};

async function reportFresh(report: Report, peers: readonly Peer[], rounds: number, connections: number): Promise<void> {
  const results = await interleave('transfer, new connections', peers, rounds, (peer) =>
    measureFresh(peer, connections),
  );
  const p50 = (peer: Peer) => median((results.get(peer) ?? []).map(({ p50Us }) => p50Us));
  report.table(
    [
      `${connections} connections, one after another: us from connect to the first answer`,
      'p50',
      'range',
      'p99',
      'ratio',
    ],
    [...results].map(([peer, measured]) => [
      peer.label,
      figure(p50(peer)),
      range(summarize(measured.map(({ p50Us }) => p50Us))),
      figure(median(measured.map(({ p99Us }) => p99Us))),
      times(p50(peer) / p50(BASELINE)),
    ]),
  );
}

async function reportMoves(report: Report, rounds: number, moves: number): Promise<void> {
  const script = new URL('./ping-pong.js', import.meta.url);
  const results = await interleave('transfer, moves', [{ label: 'one connection to and fro' }], rounds, async () =>
    Number(await outputOf(startScript(script, [`${moves}`], { limitMs: LIMIT_MS }))),
  );
  report.table(
    [`${moves} moves of one connection in mid-stream`, 'us per move', 'range'],
    [...results].map(([{ label }, us]) => [label, figure(median(us)), range(summarize(us))]),
  );
}

function reportTargets(report: Report, peers: readonly Peer[], loads: readonly Load[], results: Results): void {
  for (const [peer, target] of TARGETS) {
    if (!peers.includes(peer)) continue;
    const ratios = loads.map((load) =>
      ratio('perSecond', results.get(load)?.get(SHARED), results.get(load)?.get(peer)),
    );
    report.verdict(`throughput, ${SHARED.label}, against ${peer.label}`, geometricMean(ratios), '>=', target);
  }
}
