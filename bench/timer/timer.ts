/** How late timers are while the main thread is asleep half of the time. */
import { backendName } from '../lib/backend.js';
import { outputOf, startScript } from '../lib/children.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, range, times } from '../lib/format.js';
import { interleave } from '../lib/rounds.js';
import { median, quantile, ratios, summarize } from '../lib/statistics.js';
import { TARGETS } from '../targets.js';
import { CLOCKS, type Clock, MAIN, TIMER } from './kinds.js';

const FULL = { rounds: 5, count: 400 };
const QUICK = { rounds: 2, count: 100 };
const LIMIT_MS = 60_000;

interface Lateness {
  readonly p50: number;
  readonly p99: number;
}

export const timer: Comparison = {
  name: 'timer',
  summary: 'lateness of timers while the main thread sleeps 50 of every 100 ms, against setTimeout',

  async run({ quick, report }) {
    const { rounds, count } = quick ? QUICK : FULL;
    report.note(
      `backend ${await backendName()}, ${count} timers of 1 to 20 ms; medians of ${rounds} rounds, in ms late`,
    );
    const results = await interleave('timer', CLOCKS, rounds, (clock) => measure(clock, count));
    const of = (clock: Clock) => (results.get(clock) ?? []).map((lateness) => lateness.p99);
    const ratio = (clock: Clock) => summarize(ratios(of(clock), of(MAIN)));
    report.table(
      ['main thread asleep 50 of 100 ms', 'p50', 'p99', 'range', 'p99 ratio'],
      [...results].map(([clock, measured]) => [
        clock.label,
        figure(median(measured.map((lateness) => lateness.p50))),
        figure(median(of(clock))),
        range(summarize(of(clock))),
        times(ratio(clock).median),
      ]),
    );
    report.verdict(TARGETS.timer, ratio(TIMER));
    report.chart({
      title: 'Lateness of timers, p99',
      shape: 'bar',
      axis: 'main thread asleep 50 of 100 ms',
      labels: [''],
      unit: 'ms',
      series: CLOCKS.map((clock) => ({ label: clock.label, values: [median(of(clock))] })),
    });
  },
};

async function measure({ kind }: Clock, count: number): Promise<Lateness> {
  const url = new URL('./clock.js', import.meta.url);
  const output = await outputOf(startScript(url, [kind, `${count}`], { limitMs: LIMIT_MS }));
  const lateMs = output.trim().split('\n').map(Number);
  return { p50: quantile(lateMs, 0.5), p99: quantile(lateMs, 0.99) };
}
