import test from 'ava';
import { geometricMean, median, quantile, ratios, summarize, summarizeMean } from '../../bench/lib/statistics.js';

test('a quantile is a value that was measured, by nearest rank, whatever the order', (t) => {
  const values = [50, 15, 40, 20, 35];
  t.deepEqual(
    [0, 0.05, 0.3, 0.4, 0.5, 0.99, 1].map((q) => quantile(values, q)),
    [15, 15, 20, 20, 35, 50, 50],
  );
  t.deepEqual(values, [50, 15, 40, 20, 35], 'the values are left in their order');
});

test('a median is the middle value, of an even number of values the mean of the middle two', (t) => {
  t.is(median([9, 1, 3]), 3);
  t.is(median([4, 1, 3, 2]), 2.5);
});

test('nothing has no median', (t) => {
  t.is(median([]), Number.NaN);
});

test('a summary has the median and the range of the rounds', (t) => {
  t.deepEqual(summarize([3, 1, 2]), { median: 2, least: 1, most: 3 });
});

test('the geometric mean of a ratio and its inverse is one', (t) => {
  t.is(geometricMean([4, 1 / 4]), 1);
  t.true(Math.abs(geometricMean([1, 10, 100]) - 10) < 1e-12);
});

test('ratios are taken round by round, and where the other side has no such round there is none', (t) => {
  t.deepEqual(ratios([2, 9, 5], [1, 3]), [2, 3, Number.NaN]);
});

test('a mean over loads is the mean of their medians, and its range is that of the single rounds', (t) => {
  // Medians 2 and 8, rounds (1, 16), (2, 8), (4, 1).
  const {
    median: mean,
    least,
    most,
  } = summarizeMean([
    [1, 2, 4],
    [16, 8, 1],
  ]);
  t.deepEqual([mean, least, most].map(Math.round), [4, 2, 4]);
});

test('a mean over loads of which nothing was measured is no number', (t) => {
  t.is(summarizeMean([[], []]).median, Number.NaN);
});
