/**
 * The load driver, a process of its own: the same load for every target at the same time, on plain node:net.
 *
 * Messages are sent when they are due, whether or not earlier ones were answered. A driver that waits for each answer
 * would hardly send while a server does not answer, and so hardly measure the very thing this is about.
 */
import type { LoadOrder, LoadReport } from './messages.js';
import { MESSAGE_INTERVAL_MS, TargetLoad } from './target-load.js';

const REPORT_INTERVAL_MS = 200;
/** How long answers may stay out after the last message. */
const PATIENCE_MS = 2000;

async function run({ targets, durationMs }: LoadOrder): Promise<void> {
  const loads = targets.map((target) => new TargetLoad(target));
  await Promise.all(loads.map((load) => load.connected()));
  const lateMs: number[] = [];
  const reporter = setInterval(() => reportSamples(loads, lateMs), REPORT_INTERVAL_MS);
  await sendFor(loads, durationMs, lateMs);
  const untilMs = performance.now() + PATIENCE_MS;
  while (loads.some((load) => load.unanswered() > 0) && performance.now() < untilMs) await pause(5);
  clearInterval(reporter);
  reportSamples(loads, lateMs);
  for (const load of loads) load.end();
  report({ kind: 'done', unanswered: loads.map((load) => load.unanswered()) });
}

function sendFor(loads: readonly TargetLoad[], durationMs: number, lateMs: number[]): Promise<void> {
  return new Promise((resolve) => {
    const startMs = performance.now();
    let lastMs = startMs;
    const timer = setInterval(() => {
      const nowMs = performance.now();
      const elapsedMs = nowMs - startMs;
      lateMs.push(Math.max(0, nowMs - lastMs - MESSAGE_INTERVAL_MS));
      lastMs = nowMs;
      for (const load of loads) load.send(Math.min(elapsedMs, durationMs));
      // Each is first as often as the others: what is sent later in a turn has its answer measured later.
      loads = [...loads.slice(1), ...loads.slice(0, 1)];
      if (elapsedMs < durationMs) return;
      clearInterval(timer);
      resolve();
    }, MESSAGE_INTERVAL_MS);
  });
}

function reportSamples(loads: readonly TargetLoad[], lateMs: number[]): void {
  report({ kind: 'samples', samples: loads.map((load) => load.takeSamples()), lateMs: lateMs.splice(0) });
}

function report(message: LoadReport): void {
  process.send?.(message);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

process.on('message', (order: LoadOrder) => void run(order));
process.on('disconnect', () => process.exit());
