/** Connections that change threads: what a move costs. What handlers on two threads are worth, `echo` measures. */
import { isAvailable } from '../echo/echo.js';
import { BASELINE, MEASURED, MOVED, type Peer, RELAY, SHARED, TRANSFER } from '../echo/peers.js';
import { backendName } from '../lib/backend.js';
import { outputOf, startScript } from '../lib/children.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, range, times } from '../lib/format.js';
import type { Report } from '../lib/report.js';
import { interleave } from '../lib/rounds.js';
import { median, summarize } from '../lib/statistics.js';
import { measureFresh } from './fresh.js';

const FULL = { rounds: 5, connections: 1000, moves: 4000 };
const QUICK = { rounds: 2, connections: 150, moves: 1000 };
const LIMIT_MS = 60_000;

export const transfer: Comparison = {
  name: 'transfer',
  summary: 'connections that change threads: what a move costs',

  async run({ quick, report }) {
    const { rounds, connections, moves } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds`);
    const fresh = [BASELINE, MEASURED, MOVED, SHARED, TRANSFER, RELAY].filter((peer) => isAvailable(peer, report));
    await reportFresh(report, fresh, rounds, connections);
    await reportMoves(report, rounds, moves);
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
