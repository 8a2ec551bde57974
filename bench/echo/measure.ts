/** One round of one peer: a fresh server, a fresh generator for each load, CPU times at both ends of the window. */
import type { ChildProcess } from 'node:child_process';
import { start } from '../lib/children.js';
import { compile } from '../lib/compile.js';
import { type Histogram, quantileOf } from '../lib/histogram.js';
import { type CpuTime, cpuBetween, cpuTime, total } from '../lib/schedstat.js';
import { lines, nextLine, type Server, startServer } from '../lib/server.js';
import type { Load } from './loads.js';
import type { Peer } from './peers.js';

export interface Window {
  /**
   * For so long a fast load comes first. Code is compiled by the number of its calls: at a few thousand messages a second it would be compiled in the middle
   * of the measurement.
   */
  readonly compileMs?: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface Measurement {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** All of them, in nanoseconds. */
  readonly latencies: Histogram;
  /** CPU per message, in microseconds: all threads of all processes of the server, their main threads alone, and each kind of thread. */
  readonly processCpuUs: number;
  readonly mainCpuUs: number;
  readonly cpuUs: CpuTime;
  /** The part of a core that the generator used. */
  readonly generatorCore: number;
}

/** What native/echo-load.c prints. */
export interface GeneratorReport {
  readonly perSecond: number;
  readonly latenciesNs: Histogram;
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
  { env, prepare }: Circumstances = {},
): Promise<Measurement> {
  return serving(peer, load.size, env, async (server) => {
    if (window.compileMs !== undefined)
      await generate(server, { ...FAST, size: load.size }, { warmUpMs: 0, measureMs: window.compileMs });
    const undo = await prepare?.(server);
    const measurement = await generate(server, load, window);
    await undo?.();
    return measurement;
  });
}

const FAST = { label: 'fast', connections: 20, depth: 4 } as const;

/** A fresh server's first warm-up is so many times as long: its code is compiled in that time. */
const FIRST_WARM_UP = 4;

/** Several loads of one message size, one after another, on one server. */
export async function measureAll(peer: Peer, loads: readonly Load[], window: Window): Promise<Measurement[]> {
  return serving(peer, loads[0]?.size ?? 0, {}, async (server) => {
    const measurements: Measurement[] = [];
    for (const load of loads) {
      const warmUpMs = measurements.length === 0 ? FIRST_WARM_UP * window.warmUpMs : window.warmUpMs;
      measurements.push(await generate(server, load, { ...window, warmUpMs }));
    }
    return measurements;
  });
}

async function serving<T>(
  peer: Peer,
  size: number,
  env: Circumstances['env'],
  use: (server: Server) => Promise<T>,
): Promise<T> {
  const server = await startServer(peer.command(size), env);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** The load generator: prints as native/echo-load.c says. */
export function startGenerator(
  ports: readonly number[],
  load: Load,
  { warmUpMs, measureMs }: Window,
): { generator: ChildProcess; output: AsyncIterator<string> } {
  const options = {
    port: ports.join(','),
    connections: load.connections,
    depth: load.depth,
    size: load.size,
    'warm-up': warmUpMs,
    measure: measureMs,
    ...(load.rate === undefined ? {} : { rate: load.rate }),
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const generator = start(compile('echo-load'), args, { limitMs: 60_000 });
  return { generator, output: lines(generator) };
}

async function generate(server: Server, load: Load, window: Window): Promise<Measurement> {
  const { generator, output } = startGenerator(server.ports, load, window);
  await nextLine(output, generator);
  const before = sample(server);
  await nextLine(output, generator);
  const after = sample(server);
  const { perSecond, latenciesNs, coreFraction } = JSON.parse(await nextLine(output, generator)) as GeneratorReport;
  const us = (q: number) => quantileOf(latenciesNs, q) / 1000;
  // CPU as a rate over the samples' own interval, which is not quite the generator's: ns per ms per message per s are us per message.
  const cpuUs = cpuBetween(before.cpu, after.cpu, (after.atMs - before.atMs) * perSecond);
  return {
    perSecond,
    p50Us: us(0.5),
    p99Us: us(0.99),
    p999Us: us(0.999),
    latencies: latenciesNs,
    processCpuUs: total(cpuUs),
    mainCpuUs: cpuUs['main thread'],
    cpuUs,
    generatorCore: coreFraction,
  };
}

function sample({ pids }: Server): { atMs: number; cpu: CpuTime } {
  return { atMs: performance.now(), cpu: cpuTime(pids) };
}
