/** An echo server in sideport against what a user would pick instead, and against the floor in C. */
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import type { Report } from '../lib/report.js';
import { interleave } from '../lib/rounds.js';
import { LOADS, LOADS_QUICK, type Load, OPEN_LOOP } from './loads.js';
import { type Measurement, measure } from './measure.js';
import { PEERS, type Peer } from './peers.js';
import { reportCharts, reportLoad, reportRatios } from './report.js';

const FULL = { loads: LOADS, rounds: 5, window: { warmUpMs: 300, measureMs: 700 } };
const QUICK = { loads: LOADS_QUICK, rounds: 3, window: { warmUpMs: 200, measureMs: 400 } };

export const echo: Comparison = {
  name: 'echo',
  summary: 'echo servers under load: throughput, latency and CPU, against node:net and others',

  async run({ quick, report }) {
    const { loads, rounds, window } = quick ? QUICK : FULL;
    report.note(
      `backend ${await backendName()}, medians of ${rounds} rounds of ${window.measureMs} ms;\n` +
        'latency and CPU per message in us; !N: in N rounds the generator used more than 95 % of a core',
    );
    const peers = PEERS.filter((peer) => isAvailable(peer, report));
    const results = new Map<Load, Map<Peer, Measurement[]>>();
    // Load by load, so that a run which is cut short has shown what it measured.
    for (const load of [...loads, OPEN_LOOP]) {
      const measured = await interleave(`echo, ${load.label}`, peers, rounds, (peer) => measure(peer, load, window));
      results.set(load, measured);
      reportLoad(report, load, results);
    }
    reportRatios(report, loads, results);
    reportCharts(report, loads, results);
  },
};

export function isAvailable(peer: Peer, report: Report): boolean {
  const reason = peer.unavailable?.();
  if (reason !== undefined) report.note(`left out: ${peer.label}: ${reason}`);
  return reason === undefined;
}
