import test from 'ava';
import { explanation } from '../../bench/lib/explanations.js';
import type { Summary } from '../../bench/lib/statistics.js';
import { count, judge, summary, verdictRow } from '../../bench/lib/verdict.js';
import { TARGETS, type Target } from '../../bench/targets.js';

const FAST: Target = { comparison: 'echo', what: 'throughput', bound: '>=', value: 1.8, unit: '' };
const LEAN: Target = { comparison: 'idle', what: 'memory', bound: '<=', value: 100, unit: ' B' };

function measured(median: number): Summary {
  return { median, least: median - 1, most: median + 1 };
}

test('a lower bound is met by what reaches it', (t) => {
  t.deepEqual(
    [1.79, 1.8, 5].map((value) => judge(FAST, measured(value)).outcome),
    ['missed', 'met', 'met'],
  );
});

test('an upper bound is met by what does not exceed it', (t) => {
  t.deepEqual(
    [0, 100, 100.1].map((value) => judge(LEAN, measured(value)).outcome),
    ['met', 'met', 'missed'],
  );
});

test('what could not be measured is neither met nor missed', (t) => {
  t.is(judge(FAST).outcome, 'not measured');
  t.is(judge(FAST, measured(Number.NaN)).outcome, 'not measured');
});

test('a verdict is shown with its case, value, range and aim', (t) => {
  t.deepEqual(verdictRow(judge(LEAN, measured(120), 'io_uring')), [
    'idle: memory (io_uring)',
    '120 B',
    '119-121',
    '<= 100 B',
    'MISSED',
  ]);
  t.deepEqual(verdictRow(judge(FAST)), ['echo: throughput', '-', '-', '>= 1.8', 'not measured']);
});

test('the summary has each target of what ran, in their order, and none of what did not', (t) => {
  const other: Target = { ...FAST, what: 'latency' };
  const verdicts = summary([FAST, other, LEAN], ['echo'], [judge(FAST, measured(2))]);
  t.deepEqual(
    verdicts.map(({ target, outcome }) => [target.what, outcome]),
    [
      ['throughput', 'met'],
      ['latency', 'not measured'],
    ],
  );
  t.is(count(verdicts), '1 met, 0 missed, 1 not measured');
});

test('no two targets have one name', (t) => {
  const names = Object.values(TARGETS).map(({ comparison, what }) => `${comparison}: ${what}`);
  t.is(new Set(names).size, names.length);
});

test('where a target may be missed, docs/performance.md has what remains, and why', (t) => {
  const sections = Object.values(TARGETS).flatMap(({ why }: Target) => (why === undefined ? [] : [why]));
  t.true(sections.length > 0);
  for (const why of sections) t.true(explanation(why).length > 100, why);
  t.throws(() => explanation('Nothing'), { message: /no section "Nothing"/ });
});
