/**
 * The summary. Every comparison in it is drawn from the numbers of this run; only what the designs can and cannot do is
 * said beforehand.
 */
import type { SubjectKind } from './messages.js';
import type { Phase, Result } from './results.js';
import { ms, NAMES, percent } from './table.js';

/** Differences below this factor are called none: runs differ by as much. */
const SAME_FACTOR = 1.3;
/** A load driver that is late by more shares its processors with others. */
const BUSY_MS = 5;

type Comparison = 'better' | 'same' | 'worse';

export function verdict(blocked: Phase, idle: Phase): string[] {
  return [
    'What was measured',
    '  accept delay: from connect to the first byte of the answer, on a new connection (HTTP)',
    '  round trip:   a 64-byte message to the echo server and back, on an open connection',
    '  p50, p99:     half of all, 99 of 100, took no longer.  CPU: of one core, all threads',
    '',
    'Main thread blocked 100 of every 200 ms',
    ...phaseLines(blocked),
    '',
    'Main thread idle',
    ...phaseLines(idle),
    '',
    'What it means',
    ...[...caution([blocked, idle]), ...meaning(blocked, idle)].flatMap(wrap),
  ];
}

function phaseLines(phase: Phase): string[] {
  const { results } = phase;
  const lines = [
    `  sideport: a round trip took ${both(results.sideport)}.`,
    ...(['net', 'net-worker'] as const).map((kind) => {
      const [halves, tails] = [0.5, 0.99].map((part) => against(phase, kind, part));
      return `  ${NAMES[kind]}: ${both(results[kind])}: p50 ${halves}, p99 ${tails}.`;
    }),
  ];
  for (const kind of ['sideport', 'net', 'net-worker'] as const) {
    if (results[kind].unanswered > 0) lines.push(`  ${NAMES[kind]} left ${results[kind].unanswered} unanswered.`);
  }
  return lines;
}

/** Said when the machine itself spoilt the tails. */
function caution(phases: readonly Phase[]): string[] {
  const lateMs = Math.max(...phases.map(({ late }) => late.percentile(0.99) ?? 0));
  if (lateMs <= BUSY_MS) return [];
  return [
    `This machine is busy with other things: the load driver itself was held up for ${ms(lateMs)} (p99). Every ` +
      'p99 above contains such delays, and differences that they could explain are called none. Better run it again.',
  ];
}

function meaning(blocked: Phase, idle: Phase): string[] {
  const net = { blocked: compare(blocked, 'net'), idle: compare(idle, 'net') };
  const worker = compare(blocked, 'net-worker');
  const { net: netIdle, sideport: sideportIdle } = idle.results;
  return [
    net.blocked === 'worse'
      ? 'A busy main thread keeps clients of node:net waiting; clients of sideport are served by another thread.'
      : 'In this run the busy main thread made plain node:net no worse than sideport.',
    net.idle === 'worse'
      ? 'Even with an idle main thread plain node:net was slower than sideport in this run.'
      : `With an idle main thread plain node:net is ${asGood(net.idle)}, at ${percent(netIdle.cpu)} of a core against ` +
        `${percent(sideportIdle.cpu)}: a program whose main thread is never busy gains nothing here.`,
    worker === 'worse'
      ? 'A node:net server that lives wholly in a worker was slower than sideport in this run.'
      : `A node:net server that lives wholly in a worker is ${asGood(worker)}, main thread blocked or not. If one ` +
        'thread can own all your sockets and never computes, you need nothing else.',
    'What sideport adds to that: the main thread and any number of workers use sockets of one I/O thread; it goes on ' +
      'accepting and receiving while the thread that uses them is busy; and a thread may block until a socket is ready.',
  ];
}

/** Of round trips, against sideport: worse if either percentile is longer, better if one is shorter and none longer. */
function compare(phase: Phase, kind: SubjectKind): Comparison {
  const factors = [0.5, 0.99].map((part) => factor(phase, kind, part));
  if (factors.some((times) => times > 1)) return 'worse';
  return factors.some((times) => times < 1) ? 'better' : 'same';
}

/** How many times as long as sideport's this percentile is; 1 when the difference says nothing. */
function factor({ results, late }: Phase, kind: SubjectKind, part: number): number {
  const [one, sideport] = [results[kind], results.sideport].map(({ roundTrip }) => roundTrip.percentile(part));
  if (one === undefined || sideport === undefined) return 1;
  // A median hardly moves with the machine's hiccups; the tail is made of them.
  const noiseMs = part > 0.5 ? (late.percentile(part) ?? 0) : 0;
  const times = one / sideport;
  const isDifferent = Math.max(times, 1 / times) > SAME_FACTOR && Math.abs(one - sideport) > noiseMs;
  return isDifferent ? times : 1;
}

function against(phase: Phase, kind: SubjectKind, part: number): string {
  const times = factor(phase, kind, part);
  if (times === 1) return 'about the same';
  const most = Math.max(times, 1 / times);
  return `${most.toFixed(most < 10 ? 1 : 0)} times ${times > 1 ? 'longer' : 'shorter'}`;
}

function asGood(comparison: Comparison): string {
  return comparison === 'better' ? 'better' : 'as good';
}

function both({ roundTrip }: Result): string {
  return `${ms(roundTrip.percentile(0.5))} (p50), ${ms(roundTrip.percentile(0.99))} (p99)`;
}

/** A list item, broken at 78 columns. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '  -';
  for (const word of text.split(' ')) {
    if (line.length + word.length > 77) {
      lines.push(line);
      line = '   ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
