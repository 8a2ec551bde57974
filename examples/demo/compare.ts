/**
 * The comparison: three servers, each a process of its own, under the same load at the same time; first with
 * their main threads blocked half of the time, then with idle ones.
 */
import { Child } from './child.js';
import { show } from './display.js';
import { BLOCKED_MS, PERIOD_MS } from './main-thread.js';
import type { LoadOrder, LoadReport, SubjectKind, SubjectOrder, SubjectReport, Target } from './messages.js';
import { newPhase, type Phase } from './results.js';
import { verdict } from './verdict.js';

type Subject = Child<SubjectOrder, SubjectReport>;
type Load = Child<LoadOrder, LoadReport>;

/** Lets Node compile what runs often; not counted. */
const WARM_UP_MS = 500;
/** What start, warm-up and late answers may take on top of the measuring. */
const OVERHEAD_MS_MAX = 30_000;

const KINDS: readonly SubjectKind[] = ['sideport', 'net', 'net-worker'];

/** Measures for `seconds` and prints. Throws when a process of it fails. */
export async function compare(seconds: number): Promise<void> {
  const subjects: readonly Subject[] = KINDS.map((kind) => new Child('./subject.js', [kind]));
  const load: Load = new Child('./load.js');
  const children = [...subjects, load];
  // Whatever happens, nothing is left behind.
  process.once('exit', () => {
    for (const child of children) child.kill();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  const watchdog = setTimeout(
    () => {
      console.error('demo: it takes far too long; given up');
      process.exit(1);
    },
    1000 * seconds + OVERHEAD_MS_MAX,
  );

  const ready = await Promise.all(subjects.map((subject) => subject.next('ready')));
  console.log(INTRODUCTION.replace('BACKEND', ready[0]?.backend ?? ''));
  const targets = ready.map(({ echo, http }) => ({ echo, http }));
  await measure(subjects, load, targets, newPhase('Warm-up', 'idle', false, WARM_UP_MS));
  const blocked = newPhase(
    `Main thread blocked ${BLOCKED_MS} of every ${PERIOD_MS} ms`,
    'blocked',
    true,
    500 * seconds,
  );
  const idle = newPhase('Main thread idle', 'idle', false, 500 * seconds);
  const finish = show([blocked, idle]);
  await measure(subjects, load, targets, blocked);
  await measure(subjects, load, targets, idle);
  finish();

  await Promise.all([...subjects.map((subject) => subject.end({ kind: 'stop' })), load.end()]);
  clearTimeout(watchdog);
  console.log(`\n${verdict(blocked, idle).join('\n')}\n\n${INVITATION}`);
}

async function measure(
  subjects: readonly Subject[],
  load: Load,
  targets: readonly Target[],
  phase: Phase,
): Promise<void> {
  const { blocked, durationMs, results, late } = phase;
  const before = await cpuTimes(subjects, blocked);
  phase.startMs = performance.now();
  load.send({ kind: 'run', targets, durationMs });
  const { unanswered } = await load.next('done', (report) => {
    if (report.kind !== 'samples') return;
    late.add(report.lateMs);
    for (const [at, samples] of report.samples.entries()) results[KINDS[at] as SubjectKind].add(samples);
  });
  const elapsedMs = performance.now() - phase.startMs;
  const after = await cpuTimes(subjects, false);
  for (const [at, kind] of KINDS.entries()) {
    results[kind].cpu = ((after[at] as number) - (before[at] as number)) / elapsedMs;
    results[kind].unanswered = unanswered[at] ?? 0;
  }
  phase.ended = true;
}

/** Blocks the main threads from now on, or no longer, and asks what they have used so far. */
function cpuTimes(subjects: readonly Subject[], block: boolean): Promise<number[]> {
  return Promise.all(
    subjects.map(async (subject) => {
      const answer = subject.next('cpu');
      subject.send({ kind: 'block', on: block });
      return (await answer).cpuMs;
    }),
  );
}

const INTRODUCTION = `\
An echo server and an HTTP responder, three times, each in a process of its own:
  sideport              main thread | worker thread that handles | I/O thread (BACKEND)
  node:net              everything on the main thread
  node:net in a worker  main thread | worker thread that handles
To each at once: 1000 messages/s over 20 connections, 100 new connections/s.
"Blocked" main threads sleep in Atomics.wait: not there, but using no processor.
`;

const INVITATION = `\
Try it with clients of your own:
  npm run demo -- --listen 127.0.0.1:7007`;
