/** Connections that change threads: what a move costs, and how soon one leaves a thread that stalls. What handlers on two threads are worth, `echo` measures. */
import { isAvailable } from '../echo/echo.js';
import { BASELINE, MEASURED, MOVED, type Peer, RELAY, SHARED, TRANSFER } from '../echo/peers.js';
import { backendName } from '../lib/backend.js';
import { outputOf, startScript } from '../lib/children.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, range, times } from '../lib/format.js';
import type { Report } from '../lib/report.js';
import { interleave } from '../lib/rounds.js';
import { median, quantile, summarize } from '../lib/statistics.js';
import { TARGETS } from '../targets.js';
import { measureFresh } from './fresh.js';

const FULL = { rounds: 5, connections: 1000, moves: 4000, stalls: 40 };
const QUICK = { rounds: 2, connections: 150, moves: 1000, stalls: 12 };
const LIMIT_MS = 60_000;

export const transfer: Comparison = {
  name: 'transfer',
  summary: 'connections that change threads: what a move costs',

  async run({ quick, report }) {
    const { rounds, connections, moves, stalls } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds`);
    const fresh = [BASELINE, MEASURED, MOVED, SHARED, TRANSFER, RELAY].filter((peer) => isAvailable(peer, report));
    await reportFresh(report, fresh, rounds, connections);
    await reportMoves(report, rounds, moves);
    await reportStalls(report, rounds, stalls);
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

async function reportStalls(report: Report, rounds: number, stalls: number): Promise<void> {
  const script = new URL('./stall.js', import.meta.url);
  const results = await interleave('transfer, stalls', [{ label: 'one of 4 sharers stalled' }], rounds, async () => {
    const output = await outputOf(startScript(script, [`${stalls}`], { limitMs: LIMIT_MS }));
    return output.trim().split('\n').map(Number);
  });
  for (const [{ label }, measured] of results) {
    const medians = summarize(measured.map((ms) => median(ms)));
    report.table(
      [`${stalls} stalls: ms until no connection is left with the stalled sharer`, 'p50', 'range', 'longest'],
      [[label, figure(medians.median), range(medians), figure(median(measured.map((ms) => quantile(ms, 1))))]],
    );
    report.verdict(TARGETS.stalledSharer, medians);
  }
}
