/** What the threads of an echo server allocate per message once all is warm: nothing, says the design. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LOADS, type Load } from '../echo/loads.js';
import { type GeneratorReport, startGenerator } from '../echo/measure.js';
import { backendName } from '../lib/backend.js';
import { startScript } from '../lib/children.js';
import type { Comparison } from '../lib/comparison.js';
import { figure } from '../lib/format.js';
import type { Report } from '../lib/report.js';
import { interleave } from '../lib/rounds.js';
import { lines, nextLine } from '../lib/server.js';
import { median, summarize } from '../lib/statistics.js';
import { TARGETS, type Target } from '../targets.js';
import { KINDS, type Kind, type Profiles } from './kinds.js';
import type { Allocation, Owner, Profile } from './sampling.js';

/** 50 connections x 64 B, depth 1. */
const LOAD = LOADS[0] as Load;
const FULL = { rounds: 3, warmUpMs: 2000, profileMs: 3000 };
const QUICK = { rounds: 1, warmUpMs: 800, profileMs: 1200 };
const LIMIT_MS = 60_000;
const TOP = 10;
/** For the profiler's begin and end, within the generator's window. */
const MARGIN_MS = 1000;

const LABELS: Readonly<Record<Kind, string>> = {
  take: 'sideport: take, wait',
  read: 'sideport: read, wait',
  net: 'node:net',
};

interface Case {
  readonly label: string;
  readonly kind: Kind;
}

/** Bytes per message, of each function. */
interface Measured {
  readonly main: readonly Allocation[];
  readonly ioThread: readonly Allocation[] | undefined;
}

type Thread = keyof Measured;

const CASES: readonly Case[] = KINDS.map((kind) => ({ label: LABELS[kind], kind }));

export const heap: Comparison = {
  name: 'heap',
  summary: 'bytes allocated on the JavaScript heaps per message of an echo server in the steady state, by function',

  async run({ quick, report }) {
    const { rounds, warmUpMs, profileMs } = quick ? QUICK : FULL;
    report.note(
      `backend ${await backendName()}, ${LOAD.label}; V8's sampling heap profiler for ${profileMs} ms, collected objects included; medians of ${rounds} rounds`,
    );
    const results = await interleave('heap', CASES, rounds, ({ kind }) => profile(kind, warmUpMs, profileMs));
    const of = (kind: Kind) => [...results].find(([each]) => each.kind === kind)?.[1] ?? [];
    const sums = (kind: Kind, thread: Thread, owner?: Owner) => of(kind).map((round) => sum(round[thread], owner));
    report.data('bytes per message', results);
    for (const kind of KINDS) {
      for (const thread of ['main', 'ioThread'] as const) reportTop(report, kind, thread, of(kind));
    }
    const told = (target: Target, values: number[], detail?: string) =>
      report.verdict(target, summarize(values), detail);
    told(TARGETS.heapIoThread, [...sums('take', 'ioThread'), ...sums('read', 'ioThread')]);
    told(TARGETS.heapRead, sums('read', 'main', 'sideport'));
    told(TARGETS.heapTake, sums('take', 'main', 'sideport'));
    report.chart({
      title: 'Allocated per message',
      shape: 'bar',
      axis: '',
      labels: CASES.map(({ label }) => label),
      unit: 'bytes',
      series: [
        {
          label: 'main thread, sideport',
          stack: 'heap',
          values: KINDS.map((kind) => median(sums(kind, 'main', 'sideport'))),
        },
        {
          label: 'main thread, the handler',
          stack: 'heap',
          values: KINDS.map((kind) => median(sums(kind, 'main', 'benchmark'))),
        },
        { label: 'main thread, Node', stack: 'heap', values: KINDS.map((kind) => median(sums(kind, 'main', 'Node'))) },
        { label: 'I/O thread', stack: 'heap', values: KINDS.map((kind) => median(sums(kind, 'ioThread'))) },
      ],
    });
  },
};

async function profile(kind: Kind, warmUpMs: number, profileMs: number): Promise<Measured> {
  const server = startScript(new URL('./server.js', import.meta.url), [String(LOAD.size), kind], { limitMs: LIMIT_MS });
  try {
    const told = lines(server);
    const { ports } = JSON.parse(await nextLine(told, server)) as { ports: number[] };
    const { generator, output } = startGenerator(ports, LOAD, { warmUpMs, measureMs: profileMs + MARGIN_MS });
    await nextLine(output, generator);
    server.stdin?.write('begin\n');
    await nextLine(told, server);
    await sleep(profileMs);
    server.stdin?.write('end\n');
    const { main, ioThread } = JSON.parse(await nextLine(told, server)) as Profiles;
    await nextLine(output, generator);
    const { perSecond } = JSON.parse(await nextLine(output, generator)) as GeneratorReport;
    return { main: perMessage(main, perSecond), ioThread: ioThread && perMessage(ioThread, perSecond) };
  } finally {
    server.kill('SIGKILL');
  }
}

function perMessage({ elapsedMs, allocations }: Profile, perSecond: number): Allocation[] {
  const messages = (elapsedMs / 1000) * perSecond;
  return allocations.map((allocation) => ({ ...allocation, bytes: allocation.bytes / messages }));
}

function sum(allocations: readonly Allocation[] = [], owner?: Owner): number {
  const counted = allocations.filter((each) => owner === undefined || each.owner === owner);
  return counted.reduce((bytes, each) => bytes + each.bytes, 0);
}

/** Of the last round: which functions they are does not change. */
function reportTop(report: Report, kind: Kind, thread: Thread, rounds: readonly Measured[]): void {
  const allocations = rounds.at(-1)?.[thread];
  if (!allocations) return;
  const name = `${LABELS[kind]}, ${thread === 'main' ? 'main thread' : 'I/O thread'}`;
  const rows = allocations.slice(0, TOP).map(({ where, owner, bytes }) => [where, owner, figure(bytes)]);
  const all = median(rounds.map((round) => sum(round[thread])));
  report.table([name, 'whose', 'bytes per message'], [...rows, ['all functions', '', figure(all)]]);
}
