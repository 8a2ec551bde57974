/**
 * One connection, and eight, on an otherwise idle machine, one message under way on each: what a thread more in the path costs where
 * there is nothing to gain by it.
 */

import { reportDistribution } from '../echo/charts.js';
import { isAvailable } from '../echo/echo.js';
import type { Load } from '../echo/loads.js';
import { type Measurement, measure } from '../echo/measure.js';
import {
  BASELINE,
  BLOCKING,
  C_EPOLL,
  C_URING,
  MEASURED,
  type Peer,
  RELAY,
  SPINNING,
  SPINNING_BLOCKING,
  WORKERS,
} from '../echo/peers.js';
import { ratiosOf, reportLoad } from '../echo/report.js';
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import { interleave } from '../lib/rounds.js';
import { summarize } from '../lib/statistics.js';
import { TARGETS } from '../targets.js';

const LOADS: readonly Load[] = [1, 8].map((connections) => ({
  label: connections === 1 ? 'one connection x 64 B, depth 1' : `${connections} connections x 64 B, depth 1`,
  connections,
  size: 64,
  depth: 1,
}));
const FULL = {
  loads: LOADS,
  all: [MEASURED, BLOCKING, SPINNING, SPINNING_BLOCKING, WORKERS, BASELINE, RELAY, C_EPOLL, C_URING],
  rounds: 5,
  window: { compileMs: 1500, warmUpMs: 300, measureMs: 700 },
};
const QUICK = {
  loads: LOADS.slice(0, 1),
  all: [MEASURED, SPINNING, SPINNING_BLOCKING, BASELINE, C_EPOLL],
  rounds: 2,
  window: { compileMs: 700, warmUpMs: 150, measureMs: 300 },
};

export const few: Comparison = {
  name: 'few',
  summary: 'echo over one connection and over eight, against node:net and others',

  async run({ quick, report }) {
    const { loads, all, rounds, window } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds; latency and CPU per message in us`);
    const peers = all.filter((peer) => isAvailable(peer, report));
    const results = new Map<Load, Map<Peer, Measurement[]>>();
    for (const load of loads) {
      results.set(load, await interleave(`few, ${load.label}`, peers, rounds, (peer) => measure(peer, load, window)));
      reportLoad(report, load, results);
    }
    const [one] = LOADS as [Load];
    report.verdict(TARGETS.few, summarize(ratiosOf('p50Us', one, MEASURED, BASELINE, results)));
    reportDistribution(report, one.label, results.get(one) ?? new Map());
  },
};
