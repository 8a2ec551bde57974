/** Whether connections that do nothing cost those that do something. */
import { LOADS, type Load } from '../echo/loads.js';
import { type Measurement, measure } from '../echo/measure.js';
import { BASELINE, MEASURED, type Peer } from '../echo/peers.js';
import { holdConnections } from '../idle/hold.js';
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, times } from '../lib/format.js';
import { interleave } from '../lib/rounds.js';
import { median } from '../lib/statistics.js';

const IDLE = 10_000;
/** 50 connections x 64 B, depth 1. */
const LOAD = LOADS[0] as Load;
const FULL = { rounds: 5, window: { warmUpMs: 300, measureMs: 1000 } };
const QUICK = { rounds: 3, window: { warmUpMs: 300, measureMs: 500 } };
const TARGET = 1.05;

interface Case {
  readonly label: string;
  readonly peer: Peer;
  readonly idle: number;
}

const CASES: readonly Case[] = [MEASURED, BASELINE].flatMap((peer) =>
  [0, IDLE].map((idle) => ({ label: `${peer.label}, ${idle === 0 ? 'alone' : `beside ${idle} idle`}`, peer, idle })),
);

export const crowd: Comparison = {
  name: 'crowd',
  summary: `${LOAD.label}, alone and beside ${IDLE} idle connections`,

  async run({ quick, report }) {
    const { rounds, window } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds; latency and CPU per message in us`);
    const results = await interleave('crowd', CASES, rounds, ({ peer, idle }) =>
      measure(peer, LOAD, window, idle === 0 ? {} : { prepare: (server) => holdConnections(server, idle) }),
    );
    const of = (each: Case, name: 'perSecond' | 'p50Us' | 'p99Us' | 'processCpuUs'): number =>
      median((results.get(each) ?? []).map((round: Measurement) => round[name]));
    // The case before it is the same peer alone.
    const alone = (each: Case): Case => CASES[CASES.indexOf(each) - (each.idle > 0 ? 1 : 0)] as Case;
    report.table(
      [LOAD.label, 'thousand/s', 'p50', 'p99', 'CPU', 'CPU ratio'],
      CASES.map((each) => [
        each.label,
        figure(of(each, 'perSecond') / 1000),
        figure(of(each, 'p50Us')),
        figure(of(each, 'p99Us')),
        figure(of(each, 'processCpuUs')),
        times(of(each, 'processCpuUs') / of(alone(each), 'processCpuUs')),
      ]),
    );
    const [first, beside] = CASES as [Case, Case];
    const ratio = of(beside, 'processCpuUs') / of(first, 'processCpuUs');
    report.verdict(`CPU per message beside ${IDLE} idle connections, against none`, ratio, '<=', TARGET);
  },
};
