/** An echo server in sideport against what a user would pick instead, and against the floor in C. */
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import type { Report } from '../lib/report.js';
import { interleave } from '../lib/rounds.js';
import { reportCharts } from './charts.js';
import { LOADS, type Load, OPEN_LOOP } from './loads.js';
import { type Measurement, measureAll } from './measure.js';
import { PEERS, PEERS_QUICK, type Peer } from './peers.js';
import { reportLoad, reportRatios } from './report.js';

const FULL = { all: PEERS, loads: [...LOADS, OPEN_LOOP], rounds: 5, window: { warmUpMs: 300, measureMs: 700 } };
// Without the open loop: `latency` has one.
const QUICK = { all: PEERS_QUICK, loads: LOADS, rounds: 2, window: { warmUpMs: 100, measureMs: 200 } };

export const echo: Comparison = {
  name: 'echo',
  summary: 'echo servers under load: throughput, latency and CPU, against node:net and others',

  async run({ quick, report }) {
    const { all, loads, rounds, window } = quick ? QUICK : FULL;
    report.note(
      `backend ${await backendName()}, medians of ${rounds} rounds of ${window.measureMs} ms;\n` +
        'latency and CPU per message in us; !N: in N rounds the generator used more than 95 % of a core',
    );
    const peers = all.filter((peer) => isAvailable(peer, report));
    const results = new Map<Load, Map<Peer, Measurement[]>>();
    // Size by size, so that a run which is cut short has shown what it measured.
    for (const size of new Set(loads.map((load) => load.size))) {
      const ofSize = loads.filter((load) => load.size === size);
      const measured = await interleave(`echo, ${size} B`, peers, rounds, (peer) => measureAll(peer, ofSize, window));
      for (const [at, load] of ofSize.entries()) {
        const ofLoad = [...measured].map(([peer, all]) => [peer, all.map((each) => each[at] as Measurement)] as const);
        results.set(load, new Map(ofLoad));
        reportLoad(report, load, results);
      }
    }
    reportRatios(report, LOADS, results);
    reportCharts(report, LOADS, results);
  },
};

export function isAvailable(peer: Peer, report: Report): boolean {
  const reason = peer.unavailable?.();
  if (reason !== undefined) report.note(`left out: ${peer.label}: ${reason}`);
  return reason === undefined;
}
