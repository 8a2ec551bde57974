/** One connection, 1 GiB one way: how fast a single busy stream is. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { backendName } from '../lib/backend.js';
import { start } from '../lib/children.js';
import type { Comparison } from '../lib/comparison.js';
import { compile } from '../lib/compile.js';
import { figure, range, times } from '../lib/format.js';
import { interleave } from '../lib/rounds.js';
import { cpuTime, total } from '../lib/schedstat.js';
import { lines, nextLine, startServer } from '../lib/server.js';
import { median, ratios, summarize, summarizeMean } from '../lib/statistics.js';
import { TARGETS } from '../targets.js';

const GIBIBYTE = 2 ** 30;
const FULL = { bytes: GIBIBYTE, rounds: 5 };
const QUICK = { bytes: GIBIBYTE / 4, rounds: 3 };
const LIMIT_MS = 120_000;
const WAYS = ['receive', 'send'] as const;
const SERVERS = [
  { label: 'sideport', script: 'sideport' },
  { label: 'node:net', script: 'net' },
] as const;
type Server = (typeof SERVERS)[number];

interface Measurement {
  readonly gigabytesPerSecond: number;
  /** Of a second, per gigabyte: all threads, and the main thread alone. */
  readonly processCpu: number;
  readonly mainCpu: number;
}

export const bulk: Comparison = {
  name: 'bulk',
  summary: 'one connection, 1 GiB one way, handler on the main thread, against node:net',

  async run({ quick, report }) {
    const { bytes, rounds } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, ${bytes / 2 ** 20} MiB, medians of ${rounds} rounds; CPU in s per GB`);
    const ways: number[][] = [];
    for (const way of WAYS) {
      const results = await interleave(`bulk, ${way}`, SERVERS, rounds, ({ script }) => measure(script, way, bytes));
      const of = (server: Server, name: keyof Measurement) => (results.get(server) ?? []).map((round) => round[name]);
      const [ours, theirs] = SERVERS;
      const ratio = (server: Server) => ratios(of(server, 'gigabytesPerSecond'), of(theirs, 'gigabytesPerSecond'));
      ways.push(ratio(ours));
      report.data(`the server ${way}s`, results);
      report.table(
        [`the server ${way}s`, 'GB/s', 'range', 'ratio', 'CPU', 'main CPU'],
        SERVERS.map((server) => {
          const speed = summarize(of(server, 'gigabytesPerSecond'));
          const cpu = (['processCpu', 'mainCpu'] as const).map((name) => figure(median(of(server, name))));
          return [server.label, figure(speed.median), range(speed), times(median(ratio(server))), ...cpu];
        }),
      );
    }
    report.verdict(TARGETS.bulk, summarizeMean(ways));
  },
};

async function measure(name: string, way: (typeof WAYS)[number], bytes: number): Promise<Measurement> {
  const script = fileURLToPath(new URL(`./servers/${name}.js`, import.meta.url));
  const server = await startServer([process.execPath, script, way, String(bytes)]);
  try {
    const theirWay = way === 'receive' ? 'send' : 'receive';
    const before = cpuTime(server.pids);
    const args = [String(server.ports[0]), theirWay, String(bytes)];
    const generator = start(compile('bulk-load'), args, { limitMs: LIMIT_MS });
    const { seconds } = JSON.parse(await nextLine(lines(generator), generator)) as { seconds: number };
    const after = cpuTime(server.pids);
    if (generator.exitCode === null) await once(generator, 'exit');
    return {
      gigabytesPerSecond: bytes / 1e9 / seconds,
      processCpu: (total(after) - total(before)) / bytes,
      mainCpu: (after['main thread'] - before['main thread']) / bytes,
    };
  } finally {
    await server.stop();
  }
}
