/** Round trips between two threads that sleep, against a bare eventfd + futex ping-pong in C. */
import { availableParallelism } from 'node:os';
import { backendName } from '../lib/backend.js';
import { outputOf, start, startScript } from '../lib/children.js';
import type { Comparison } from '../lib/comparison.js';
import { compile } from '../lib/compile.js';
import { figure, range, times } from '../lib/format.js';
import { interleave } from '../lib/rounds.js';
import { quantile, ratios, type Summary, summarize } from '../lib/statistics.js';
import type { Row } from '../lib/table.js';
import { TARGETS, type Target } from '../targets.js';
import { DIRECT, FLOOR, PINGS, PINGS_QUICK, type Ping, PLACES, type Place, TARGETED } from './kinds.js';

const FULL = { pings: PINGS, rounds: 9, roundTrips: 10_000 };
const QUICK = { pings: PINGS_QUICK, rounds: 2, roundTrips: 2_000 };
const LIMIT_MS = 60_000;
/** Pings that are held against the floor, on each place. */
const HELD: readonly (readonly [Target, Ping, Place])[] = [
  [TARGETS.awakenerSameCore, DIRECT, 'same core'],
  [TARGETS.awakenerTwoCores, DIRECT, 'two cores'],
  [TARGETS.ioThreadSameCore, TARGETED, 'same core'],
  [TARGETS.ioThreadTwoCores, TARGETED, 'two cores'],
];

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
    const { pings, rounds, roundTrips } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds of ${roundTrips} round trips`);
    const places = PLACES.slice(0, availableParallelism());
    const cases = places.flatMap((place) =>
      pings.map((ping) => ({ label: `${ping.label}, ${place}`, ping, place }) satisfies PingCase),
    );
    const results = await interleave('awakener', cases, rounds, (each) => measure(each, roundTrips));
    for (const place of places) {
      report.table(
        [`both ends on ${place}`, 'p50', 'range', 'ratio', 'p99', 'range', 'ratio'],
        pings.map((ping) => row(ping, place, results)),
      );
    }
    report.data('round trips', results);
    for (const [target, ping, place] of HELD) {
      if (places.includes(place)) report.verdict(target, ratio(ping, place, results, 'p50'));
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
    return [figure(summary.median), range(summary), times(ratio(ping, place, results, at).median)];
  });
  return [ping.label, ...columns];
}

/** Times the floor. */
function ratio(ping: Ping, place: Place, results: Results, at: keyof RoundTrip): Summary {
  const of = (each: Ping) => roundsOf(each, place, results).map((round) => round[at]);
  return summarize(ratios(of(ping), of(FLOOR)));
}

function roundsOf(ping: Ping, place: Place, results: Results): readonly RoundTrip[] {
  for (const [each, rounds] of results) if (each.ping === ping && each.place === place) return rounds;
  return [];
}
