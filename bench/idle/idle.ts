/** Resident memory of a server process per connection that does nothing. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { BASELINE, MEASURED, type Peer } from '../echo/peers.js';
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, range, times } from '../lib/format.js';
import { interleave } from '../lib/rounds.js';
import { type Server, startServer } from '../lib/server.js';
import { median, summarize } from '../lib/statistics.js';
import { holdConnections } from './hold.js';

const CONNECTIONS = 10_000;
const ROUNDS = { full: 5, quick: 3 };
const TARGET = 0.15;
const SIZE = 64;
/** Garbage of the start and of the accepting is settled by then. */
const SETTLE_MS = 1000;

export const idle: Comparison = {
  name: 'idle',
  summary: `resident memory per idle connection at ${CONNECTIONS} connections, in bytes, against node:net`,

  async run({ quick, report }) {
    const rounds = ROUNDS[quick ? 'quick' : 'full'];
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds`);
    const peers = [MEASURED, BASELINE];
    const results = await interleave('idle', peers, rounds, bytesPerConnection);
    const medians = peers.map((peer) => median(results.get(peer) ?? []));
    const [ours = Number.NaN, theirs = Number.NaN] = medians;
    report.table(
      ['server', 'bytes per connection', 'range', 'ratio'],
      peers.map(({ label }, at) => {
        const bytes = summarize(results.get(peers[at] as Peer) ?? []);
        return [label, figure(bytes.median), range(bytes), times(bytes.median / theirs)];
      }),
    );
    report.verdict('memory per idle connection, against node:net', ours / theirs, '<=', TARGET);
    report.chart({
      title: 'Memory per idle connection',
      shape: 'bar',
      axis: '',
      labels: peers.map(({ label }) => label),
      unit: 'bytes',
      series: [{ label: 'resident', values: medians }],
    });
  },
};

async function bytesPerConnection(peer: Peer): Promise<number> {
  const server = await startServer(peer.command(SIZE));
  try {
    await sleep(SETTLE_MS);
    const before = residentBytes(server);
    const release = await holdConnections(server, CONNECTIONS);
    await sleep(SETTLE_MS);
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
