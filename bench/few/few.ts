/**
 * One connection, and eight, on an otherwise idle machine, one message under way on each: what a thread more in the path costs where
 * there is nothing to gain by it.
 */
import { isAvailable } from '../echo/echo.js';
import type { Load } from '../echo/loads.js';
import { type Measurement, measure } from '../echo/measure.js';
import { BASELINE, BLOCKING, C_EPOLL, C_URING, MEASURED, type Peer, RELAY, WORKERS } from '../echo/peers.js';
import { reportLoad } from '../echo/report.js';
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import { interleave } from '../lib/rounds.js';
import { median } from '../lib/statistics.js';

const LOADS: readonly Load[] = [1, 8].map((connections) => ({
  label: connections === 1 ? 'one connection x 64 B, depth 1' : `${connections} connections x 64 B, depth 1`,
  connections,
  size: 64,
  depth: 1,
}));
const FULL = { rounds: 5, window: { warmUpMs: 300, measureMs: 700 } };
const QUICK = { rounds: 3, window: { warmUpMs: 200, measureMs: 400 } };
const TARGET = 0.6;

export const few: Comparison = {
  name: 'few',
  summary: 'echo over one connection and over eight, against node:net and others',

  async run({ quick, report }) {
    const { rounds, window } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds; latency and CPU per message in us`);
    const all = [MEASURED, BLOCKING, WORKERS, BASELINE, RELAY, C_EPOLL, C_URING];
    const peers = all.filter((peer) => isAvailable(peer, report));
    const results = new Map<Load, Map<Peer, Measurement[]>>();
    for (const load of LOADS) {
      results.set(load, await interleave(`few, ${load.label}`, peers, rounds, (peer) => measure(peer, load, window)));
      reportLoad(report, load, results);
    }
    const p50 = (peer: Peer) => median((results.get(LOADS[0] as Load)?.get(peer) ?? []).map((round) => round.p50Us));
    report.verdict('one connection, p50, against node:net', p50(MEASURED) / p50(BASELINE), '<=', TARGET);
  },
};
