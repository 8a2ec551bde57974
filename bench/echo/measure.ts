/** One round of one peer under one load: a fresh server, a fresh generator, CPU times at both ends of the window. */
import { start } from '../lib/children.js';
import { compile } from '../lib/compile.js';
import { cpuTime } from '../lib/schedstat.js';
import { lines, nextLine, type Server, startServer } from '../lib/server.js';
import type { Load } from './loads.js';
import type { Peer } from './peers.js';

export interface Window {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface Measurement {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** Of the latencies, at each of {@link PERCENTILES}. */
  readonly percentilesUs: readonly number[];
  /** CPU per message, in microseconds: all threads of all processes of the server, and their main threads alone. */
  readonly processCpuUs: number;
  readonly mainCpuUs: number;
  /** The part of a core that the generator used. */
  readonly generatorCore: number;
}

/** Of the distribution that native/echo-load.c prints. */
export const PERCENTILES = [1, 5, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99] as const;

/** What native/echo-load.c prints. */
interface GeneratorReport {
  readonly messages: number;
  readonly perSecond: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  readonly percentilesNs: readonly number[];
  readonly coreFraction: number;
}

export interface Circumstances {
  /** Of the server, on top of this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Done when the server is up, before the load; undone, by what it gives, after it. */
  readonly prepare?: (server: Server) => Promise<() => Promise<void>>;
}

export async function measure(
  peer: Peer,
  load: Load,
  window: Window,
  { env = {}, prepare }: Circumstances = {},
): Promise<Measurement> {
  const server = await startServer(peer.command(load.size), env);
  try {
    const undo = await prepare?.(server);
    const measurement = await generate(server, load, window);
    await undo?.();
    return measurement;
  } finally {
    await server.stop();
  }
}

async function generate(server: Server, load: Load, { warmUpMs, measureMs }: Window): Promise<Measurement> {
  const options = {
    port: server.ports.join(','),
    connections: load.connections,
    depth: load.depth,
    size: load.size,
    'warm-up': warmUpMs,
    measure: measureMs,
    ...(load.rate === undefined ? {} : { rate: load.rate }),
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const generator = start(compile('echo-load'), args, { limitMs: 60_000 });
  const output = lines(generator);
  await nextLine(output, generator);
  const before = sample(server);
  const report = JSON.parse(await nextLine(output, generator)) as GeneratorReport;
  const after = sample(server);
  // CPU as a rate over the samples' own interval, which is not quite the generator's.
  const perMessage = (from: number, to: number) => (to - from) / (after.atMs - before.atMs) / report.perSecond;
  return {
    perSecond: report.perSecond,
    p50Us: report.p50Ns / 1000,
    p99Us: report.p99Ns / 1000,
    p999Us: report.p999Ns / 1000,
    percentilesUs: report.percentilesNs.map((ns) => ns / 1000),
    processCpuUs: perMessage(before.processNs, after.processNs),
    mainCpuUs: perMessage(before.mainThreadNs, after.mainThreadNs),
    generatorCore: report.coreFraction,
  };
}

function sample({ pids }: Server): { atMs: number; processNs: number; mainThreadNs: number } {
  const times = pids.map(cpuTime);
  return {
    atMs: performance.now(),
    processNs: times.reduce((sum, { processNs }) => sum + processNs, 0),
    mainThreadNs: times.reduce((sum, { mainThreadNs }) => sum + mainThreadNs, 0),
  };
}
