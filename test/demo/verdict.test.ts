/** The demo's summary says what the numbers say, whatever they are. */
import test from 'ava';
import { newPhase, type Phase } from '../../examples/demo/results.js';
import { verdict } from '../../examples/demo/verdict.js';

/** Round trips in milliseconds: p50 and p99 of each server. */
type Numbers = Record<'sideport' | 'net' | 'net-worker', readonly [number, number]>;

function phase(numbers: Numbers, lateMs = 0): Phase {
  const measured = newPhase('title', 'short', false, 1000);
  for (const kind of ['sideport', 'net', 'net-worker'] as const) {
    const [half, tail] = numbers[kind];
    const roundTripMs = Array.from({ length: 100 }, (_, at) => (at < 90 ? half : tail));
    measured.results[kind].add({ acceptMs: roundTripMs, roundTripMs });
  }
  measured.late.add([lateMs]);
  return measured;
}

function summary(blocked: Phase, idle: Phase): string {
  return verdict(blocked, idle)
    .map((line) => line.trim())
    .join(' ');
}

const alike: Numbers = { sideport: [1, 2], net: [1, 2], 'net-worker': [1, 2] };

test('servers that are alike are called as good', (t) => {
  const text = summary(phase(alike), phase(alike));
  t.regex(text, /node:net: 1\.00 ms \(p50\), 2\.00 ms \(p99\): p50 about the same, p99 about the same/);
  t.regex(text, /no worse than sideport/);
  t.regex(text, /With an idle main thread plain node:net is as good/);
  t.regex(text, /in a worker is as good/);
});

test('a slower node:net is said to be slower, and how much', (t) => {
  const text = summary(phase({ ...alike, net: [3, 100] }), phase({ ...alike, net: [1.5, 2] }));
  t.regex(text, /p50 3\.0 times longer, p99 50 times longer/);
  t.regex(text, /keeps clients of node:net waiting/);
  t.regex(text, /Even with an idle main thread plain node:net was slower/);
});

test('a quicker node:net is said to be quicker', (t) => {
  const numbers: Numbers = { sideport: [2, 4], net: [1, 1], 'net-worker': [1, 4] };
  const text = summary(phase(numbers), phase(numbers));
  t.regex(text, /node:net: .*?: p50 2\.0 times shorter, p99 4\.0 times shorter/);
  t.regex(text, /With an idle main thread plain node:net is better/);
  t.regex(text, /in a worker is better/);
});

test('a worker that is slower is not recommended', (t) => {
  t.notRegex(summary(phase({ ...alike, 'net-worker': [1, 9] }), phase(alike)), /you need nothing else/);
});

test('tails that the machine explains are no difference, and the reader is told', (t) => {
  const text = summary(phase({ ...alike, net: [1, 20] }, 30), phase(alike));
  t.regex(text, /p50 about the same, p99 about the same/);
  t.regex(text, /held up for 30\.0 ms/);
  t.notRegex(summary(phase(alike), phase(alike)), /held up/);
});

test('messages left unanswered are named', (t) => {
  const idle = phase(alike);
  idle.results.net.unanswered = 7;
  t.regex(summary(phase(alike), idle), /node:net left 7 unanswered/);
});

test('without any number nothing is claimed to differ', (t) => {
  const empty = newPhase('title', 'short', false, 1000);
  t.notRegex(summary(empty, empty), /times (longer|shorter)|slower/);
});
