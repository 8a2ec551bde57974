/** Datagrams to a receiver whose main thread is asleep half of the time: how many are lost, and how late the others are. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { backendName } from '../lib/backend.js';
import { outputOf, start, startScript } from '../lib/children.js';
import type { Comparison } from '../lib/comparison.js';
import { compile } from '../lib/compile.js';
import { figure, range } from '../lib/format.js';
import type { Report } from '../lib/report.js';
import { interleave } from '../lib/rounds.js';
import { median, summarize } from '../lib/statistics.js';
import { TARGETS } from '../targets.js';
import { RECEIVERS, type Received, type Receiver } from './kinds.js';

/** The one that the targets speak of. */
const RATE = 50_000;
const BYTES = 256;
const FULL = { rates: [20_000, RATE], rounds: 5, seconds: 4 };
const QUICK = { rates: [RATE], rounds: 2, seconds: 1 };
const LIMIT_MS = 60_000;

interface Measured extends Received {
  readonly lossPercent: number;
  readonly perSecond: number;
}

type Results = ReadonlyMap<Receiver, readonly Measured[]>;

export const udp: Comparison = {
  name: 'udp',
  summary: 'datagrams to a receiver whose main thread sleeps 100 of every 200 ms: loss and delay, against node:dgram',

  async run({ quick, report }) {
    const { rates, rounds, seconds } = quick ? QUICK : FULL;
    report.note(
      `backend ${await backendName()}, ${BYTES} B, ${seconds} s each; medians of ${rounds} rounds. Read: until the program has ` +
        'a datagram; stamp: until the time that its receiver says it arrived. In ms.',
    );
    const losses = new Map<Receiver, number[]>(RECEIVERS.map((receiver) => [receiver, []]));
    for (const rate of rates) {
      const count = rate * seconds;
      const results = await interleave(`udp, ${rate}/s`, RECEIVERS, rounds, (receiver) =>
        measure(receiver, rate, count),
      );
      reportOne(report, rate, results);
      for (const [receiver, measured] of results) losses.get(receiver)?.push(loss(measured));
    }
    report.chart({
      title: 'Datagrams lost',
      shape: 'bar',
      axis: 'datagrams a second',
      labels: rates.map(String),
      unit: '%',
      series: [...losses].map(([{ label }, values]) => ({ label, values })),
    });
  },
};

async function measure({ kind, bufferBytes }: Receiver, rate: number, count: number): Promise<Measured> {
  const sender = compile('udp-send');
  const url = new URL('./receiver.js', import.meta.url);
  const receiver = startScript(url, [kind, ...(bufferBytes === undefined ? [] : [String(bufferBytes)])], {
    limitMs: LIMIT_MS,
  });
  const ended = once(receiver, 'close');
  const lines = createInterface({ input: receiver.stdout as NodeJS.ReadableStream });
  const next = lines[Symbol.asyncIterator]();
  const port = (await next.next()).value as string;
  const perSecond = await outputOf(start(sender, [port, `${rate}`, `${count}`, `${BYTES}`], { limitMs: LIMIT_MS }));
  receiver.stdin?.end();
  const { value } = await next.next();
  await ended;
  if (value === undefined) throw new Error(`the receiver ${kind} said nothing`);
  const received = JSON.parse(value as string) as Received;
  return { ...received, perSecond: Number(perSecond), lossPercent: (100 * (count - received.received)) / count };
}

function loss(measured: readonly Measured[] = []): number {
  return median(measured.map(({ lossPercent }) => lossPercent));
}

function reportOne(report: Report, rate: number, results: Results): void {
  report.table(
    [`${rate} datagrams/s`, 'lost %', 'range', 'read p50', 'read p99', 'stamp p50', 'stamp p99', 'sent/s'],
    [...results].map(([{ label }, measured]) => [
      label,
      figure(loss(measured)),
      range(summarize(measured.map(({ lossPercent }) => lossPercent))),
      figure(median(measured.map(({ readMs }) => readMs.p50))),
      figure(median(measured.map(({ readMs }) => readMs.p99))),
      figure(median(measured.map(({ arrivedMs }) => arrivedMs.p50))),
      figure(median(measured.map(({ arrivedMs }) => arrivedMs.p99))),
      figure(median(measured.map(({ perSecond }) => perSecond))),
    ]),
  );
  report.data(`${rate} datagrams/s`, results);
  if (rate !== RATE) return;
  for (const [{ kind, bufferBytes }, measured] of results) {
    const target = bufferBytes === 0 ? TARGETS.udpSystem : TARGETS.udpDefault;
    if (kind === 'sideport') report.verdict(target, summarize(measured.map(({ lossPercent }) => lossPercent)));
  }
}
