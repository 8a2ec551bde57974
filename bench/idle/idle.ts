/** Resident memory of a server process per connection that does nothing. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BASELINE, MEASURED, type Peer } from '../echo/peers.js';
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, range, times } from '../lib/format.js';
import { interleave } from '../lib/rounds.js';
import { type Server, startServer } from '../lib/server.js';
import { median, ratios, summarize } from '../lib/statistics.js';
import { TARGETS } from '../targets.js';
import { holdConnections } from './hold.js';

const CONNECTIONS = 10_000;
const FULL = { rounds: 5, settleMs: 1000 };
const QUICK = { rounds: 1, settleMs: 500 };
const SIZE = 64;

export const idle: Comparison = {
  name: 'idle',
  summary: `resident memory per idle connection at ${CONNECTIONS} connections, in bytes, against node:net`,

  async run({ quick, report }) {
    const { rounds, settleMs } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds`);
    const peers = [MEASURED, BASELINE];
    const results = await interleave('idle', peers, rounds, (peer) => bytesPerConnection(peer, settleMs));
    const of = (peer: Peer) => results.get(peer) ?? [];
    const ratio = (peer: Peer) => summarize(ratios(of(peer), of(BASELINE)));
    report.table(
      ['server', 'bytes per connection', 'range', 'ratio'],
      peers.map((peer) => {
        const bytes = summarize(of(peer));
        return [peer.label, figure(bytes.median), range(bytes), times(ratio(peer).median)];
      }),
    );
    report.data('bytes per connection', results);
    report.verdict(TARGETS.idle, ratio(MEASURED));
    report.chart({
      title: 'Memory per idle connection',
      shape: 'bar',
      axis: '',
      labels: peers.map(({ label }) => label),
      unit: 'bytes',
      series: [{ label: 'resident', values: peers.map((peer) => median(of(peer))) }],
    });
  },
};

/** Garbage of the start and of the accepting is settled after `settleMs`. */
async function bytesPerConnection(peer: Peer, settleMs: number): Promise<number> {
  const server = await startServer(peer.command(SIZE));
  try {
    await sleep(settleMs);
    const before = residentBytes(server);
    const release = await holdConnections(server, CONNECTIONS);
    await sleep(settleMs);
    const after = residentBytes(server);
    await release();
    return (after - before) / CONNECTIONS;
  } finally {
    await server.stop();
  }
}

function residentBytes({ pids }: Server): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pids[0]}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}
