/**
 * One clock in a process of its own: `clock.js KIND COUNT`. The main thread sleeps 50 of every 100 ms. Timers of 1 to 20 ms, one after
 * the other; prints by how many milliseconds each was late, one line each.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Events, Interest, IoThread, Poll, Timer } from '../../src/index.js';
import type { Kind } from './kinds.js';

const STALL_MS = 50;

if (isMainThread) {
  const [, , kind, count] = process.argv as [string, string, Kind, string];
  if (kind === 'main') {
    stall();
    print(await setTimeouts(Number(count)));
  } else {
    const worker = new Worker(new URL(import.meta.url), { workerData: { kind, count: Number(count) } });
    worker.once('message', print);
    stall();
  }
} else {
  const { kind, count } = workerData as { kind: Kind; count: number };
  parentPort?.postMessage(kind === 'timer' ? timers(count) : await setTimeouts(count));
}

function print(lateMs: readonly number[]): void {
  process.stdout.write(`${lateMs.join('\n')}\n`, () => process.exit(0));
}

function stall(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS);
  setTimeout(stall, STALL_MS);
}

/** The same sequence of times for all. */
function delay(at: number): number {
  return 1 + ((at * 7) % 20);
}

async function setTimeouts(count: number): Promise<number[]> {
  const lateMs: number[] = [];
  for (let at = 0; at < count; at++) {
    const delayMs = delay(at);
    const dueMs = performance.now() + delayMs;
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    lateMs.push(performance.now() - dueMs);
  }
  return lateMs;
}

function timers(count: number): number[] {
  using poll = new Poll({ ioThread: IoThread.start() });
  using timer = new Timer();
  poll.registry.register(timer, 0, Interest.READABLE);
  const events = new Events();
  const lateMs: number[] = [];
  for (let at = 0; at < count; at++) {
    const delayMs = delay(at);
    const dueMs = performance.now() + delayMs;
    timer.set(delayMs);
    while (timer.read() === null) poll.poll(events);
    lateMs.push(performance.now() - dueMs);
  }
  return lateMs;
}
