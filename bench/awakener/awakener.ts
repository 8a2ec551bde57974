/** Round trips between two threads that sleep, against a bare eventfd + futex ping-pong in C. */
import { availableParallelism } from 'node:os';
import { backendName } from '../lib/backend.js';
import { outputOf, start, startScript } from '../lib/children.js';
import type { Comparison } from '../lib/comparison.js';
import { compile } from '../lib/compile.js';
import { figure, range, times } from '../lib/format.js';
import { interleave } from '../lib/rounds.js';
import { median, quantile, summarize } from '../lib/statistics.js';
import type { Row } from '../lib/table.js';
import { DIRECT, FLOOR, PINGS, type Ping, PLACES, type Place, TARGETED } from './kinds.js';

const ROUNDS = { full: 9, quick: 3 };
const ROUND_TRIPS = { full: 10_000, quick: 3_000 };
const LIMIT_MS = 60_000;
const TARGET = 1.2;

interface PingCase {
  readonly label: string;
  readonly ping: Ping;
  readonly place: Place;
}

/** One round of one case, in microseconds. */
interface RoundTrip {
  readonly p50: number;
  readonly p99: number;
}

type Results = ReadonlyMap<PingCase, readonly RoundTrip[]>;

export const awakener: Comparison = {
  name: 'awakener',
  summary: 'round trip between two sleeping threads, in microseconds, against eventfd + futex in C',

  async run({ quick, report }) {
    const size = quick ? 'quick' : 'full';
    report.note(
      `backend ${await backendName()}, medians of ${ROUNDS[size]} rounds of ${ROUND_TRIPS[size]} round trips`,
    );
    const places = PLACES.slice(0, availableParallelism());
    const cases = places.flatMap((place) =>
      PINGS.map((ping) => ({ label: `${ping.label}, ${place}`, ping, place }) satisfies PingCase),
    );
    const results = await interleave('awakener', cases, ROUNDS[size], (each) => measure(each, ROUND_TRIPS[size]));
    for (const place of places) {
      report.table(
        [`both ends on ${place}`, 'p50', 'range', 'ratio', 'p99', 'range', 'ratio'],
        PINGS.map((ping) => row(ping, place, results)),
      );
    }
    for (const ping of [DIRECT, TARGETED]) {
      for (const place of places) {
        report.verdict(`${ping.label}, ${place}`, ratio(ping, place, results, 'p50'), '<=', TARGET);
      }
    }
  },
};

async function measure({ ping, place }: PingCase, roundTrips: number): Promise<RoundTrip> {
  const options = { limitMs: LIMIT_MS };
  const size = [String(roundTrips), place === 'same core' ? '0' : '1'];
  const child =
    ping.kind === undefined
      ? start(compile('eventfd-futex'), size, options)
      : startScript(new URL('./ping.js', import.meta.url), [ping.kind, String(ping.spinUs), ...size], options);
  const elapsedUs = (await outputOf(child))
    .trim()
    .split('\n')
    .map((ns) => Number(ns) / 1000);
  if (elapsedUs.length !== roundTrips) throw new Error(`${elapsedUs.length} round trips instead of ${roundTrips}`);
  return { p50: quantile(elapsedUs, 0.5), p99: quantile(elapsedUs, 0.99) };
}

function row(ping: Ping, place: Place, results: Results): Row {
  const columns = (['p50', 'p99'] as const).flatMap((at) => {
    const summary = summarize(roundsOf(ping, place, results).map((round) => round[at]));
    return [figure(summary.median), range(summary), times(ratio(ping, place, results, at))];
  });
  return [ping.label, ...columns];
}

/** The median of the rounds' ratios: both sides of each met about the same moment of the machine. */
function ratio(ping: Ping, place: Place, results: Results, at: keyof RoundTrip): number {
  const floor = roundsOf(FLOOR, place, results);
  return median(roundsOf(ping, place, results).map((round, index) => round[at] / (floor[index]?.[at] ?? Number.NaN)));
}

function roundsOf(ping: Ping, place: Place, results: Results): readonly RoundTrip[] {
  for (const [each, rounds] of results) if (each.ping === ping && each.place === place) return rounds;
  return [];
}
