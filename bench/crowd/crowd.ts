/** Whether connections that do nothing cost those that do something. */
import { LOADS, type Load } from '../echo/loads.js';
import { type Measurement, measure } from '../echo/measure.js';
import { BASELINE, MEASURED, type Peer } from '../echo/peers.js';
import { holdConnections } from '../idle/hold.js';
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, range, times } from '../lib/format.js';
import { interleave } from '../lib/rounds.js';
import { median, ratios, summarize } from '../lib/statistics.js';
import { TARGETS } from '../targets.js';

const IDLE = 10_000;
/** 50 connections x 64 B, depth 1. */
const LOAD = LOADS[0] as Load;
const FULL = { peers: [MEASURED, BASELINE], rounds: 5, window: { warmUpMs: 300, measureMs: 1000 } };
const QUICK = { peers: [MEASURED], rounds: 2, window: { warmUpMs: 200, measureMs: 400 } };

interface Case {
  readonly label: string;
  readonly peer: Peer;
  readonly idle: number;
}

function casesOf(peers: readonly Peer[]): Case[] {
  return peers.flatMap((peer) =>
    [0, IDLE].map((idle) => ({ label: `${peer.label}, ${idle === 0 ? 'alone' : `beside ${idle} idle`}`, peer, idle })),
  );
}

export const crowd: Comparison = {
  name: 'crowd',
  summary: `${LOAD.label}, alone and beside ${IDLE} idle connections`,

  async run({ quick, report }) {
    const { peers, rounds, window } = quick ? QUICK : FULL;
    const cases = casesOf(peers);
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds; latency and CPU per message in us`);
    const results = await interleave('crowd', cases, rounds, ({ peer, idle }) =>
      measure(peer, LOAD, window, idle === 0 ? {} : { prepare: (server) => holdConnections(server, idle) }),
    );
    const of = (each: Case, name: 'perSecond' | 'p50Us' | 'p99Us' | 'processCpuUs') =>
      (results.get(each) ?? []).map((round: Measurement) => round[name]);
    // The case before it is the same peer alone.
    const alone = (each: Case): Case => cases[cases.indexOf(each) - (each.idle > 0 ? 1 : 0)] as Case;
    const ratio = (each: Case) => summarize(ratios(of(each, 'processCpuUs'), of(alone(each), 'processCpuUs')));
    report.table(
      [LOAD.label, 'thousand/s', 'p50', 'p99', 'CPU', 'range', 'CPU ratio'],
      cases.map((each) => [
        each.label,
        figure(median(of(each, 'perSecond')) / 1000),
        figure(median(of(each, 'p50Us'))),
        figure(median(of(each, 'p99Us'))),
        figure(median(of(each, 'processCpuUs'))),
        range(summarize(of(each, 'processCpuUs'))),
        times(ratio(each).median),
      ]),
    );
    report.verdict(TARGETS.crowd, ratio(cases[1] as Case));
  },
};
