import test from 'ava';
import { type Histogram, merge, quantileOf } from '../../bench/lib/histogram.js';

const HISTOGRAM: Histogram = [
  [10, 1],
  [20, 98],
  [3000, 1],
];

test('a quantile is the highest value of the step in which its rank lies', (t) => {
  t.deepEqual(
    [0, 0.01, 0.011, 0.5, 0.99, 0.991, 1].map((q) => quantileOf(HISTOGRAM, q)),
    [10, 10, 20, 20, 20, 3000, 3000],
  );
});

test('an empty histogram has no quantiles', (t) => {
  t.is(quantileOf([], 0.5), Number.NaN);
});

test('merged, every count is there, in ascending order, and equal steps are one', (t) => {
  const others: Histogram = [
    [5, 2],
    [20, 3],
  ];
  t.deepEqual(merge([HISTOGRAM, others]), [
    [5, 2],
    [10, 1],
    [20, 101],
    [3000, 1],
  ]);
  t.deepEqual(merge([]), []);
});

test('quantiles of merged rounds are those of all values, not means of the rounds', (t) => {
  const slow: Histogram = [[9000, 100]];
  t.is(quantileOf(merge([HISTOGRAM, slow]), 0.5), 3000);
  t.is(quantileOf(merge([HISTOGRAM, slow]), 0.99), 9000);
});
