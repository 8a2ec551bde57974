/**
 * One measurement in a process of its own: `ping.js KIND SPIN_US ROUND_TRIPS CORE`. The main thread is
 * pinned to core 0, the threads that it starts to CORE. Prints one line per round trip, in
 * nanoseconds, as native/eventfd-futex.c does. The other end is pong.ts, in a worker thread.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Awakener, Events, IoThread, Poll } from '../../src/index.js';
import { pin, threads, threadsSince } from '../lib/affinity.js';
import type { Kind } from './kinds.js';
import type { PongTask } from './pong.js';

const WARM_UP = 1000;
const PATIENCE_MS = 10_000;

const [, , kind, spinUs, count, core] = process.argv as [string, string, Kind, string, string, string];
const roundTrips = Number(count);
const elapsedNs: bigint[] = [];
const ownThreads = threads();

/** Call when everything has been started. */
function pinThreads(): void {
  pin(process.pid, 0);
  for (const thread of threadsSince(ownThreads)) pin(thread, Number(core));
}

/** Takes the time of `step`, which returns when the answer is there. */
function repeat(step: () => void): void {
  pinThreads();
  for (let at = -WARM_UP; at < roundTrips; at++) {
    const startNs = process.hrtime.bigint();
    step();
    if (at >= 0) elapsedNs.push(process.hrtime.bigint() - startNs);
  }
}

async function repeatAwaiting(step: () => Promise<unknown>): Promise<void> {
  pinThreads();
  for (let at = -WARM_UP; at < roundTrips; at++) {
    const startNs = process.hrtime.bigint();
    await step();
    if (at >= 0) elapsedNs.push(process.hrtime.bigint() - startNs);
  }
}

async function startPong(task: Omit<PongTask, 'roundTrips'>): Promise<{ worker: Worker; message: unknown }> {
  const workerData: PongTask = { ...task, roundTrips: WARM_UP + roundTrips };
  const worker = new Worker(new URL('./pong.js', import.meta.url), { workerData });
  const [message] = await once(worker, 'message');
  return { worker, message };
}

/** Awakener against Awakener. */
async function pingAwakener({ waits = false, spins = false }): Promise<void> {
  const ioThread = IoThread.start({ spinUs: Number(spinUs) });
  const pollSpinUs = spins ? Number(spinUs) : 0;
  const poll = new Poll({ ioThread, spinUs: pollSpinUs });
  const events = new Events(1);
  const awakener = new Awakener(poll.registry, 1);
  const { message } = await startPong({
    kind,
    ioThread: ioThread.share(),
    awakener: awakener.share(),
    pollSpinUs,
  });
  const other = Awakener.from(message as Parameters<typeof Awakener.from>[0]);
  const answered = (events: number) => {
    if (events !== 1) throw new Error('no answer');
  };
  if (waits) {
    await repeatAwaiting(async () => {
      other.wake();
      answered(await poll.wait(events, PATIENCE_MS));
    });
  } else {
    repeat(() => {
      other.wake();
      answered(poll.poll(events, PATIENCE_MS));
    });
  }
  await ioThread.close();
}

/** Through the I/O thread; this thread blocks as `poll.poll()` blocks, or waits as `poll.wait()` does. */
async function pingIoThread(waits: boolean): Promise<void> {
  const ioThread = IoThread.start({ spinUs: Number(spinUs) });
  const client = ioThread.client();
  const poll = new Poll({ ioThread });
  const events = new Events(1);
  if (waits) {
    await repeatAwaiting(async () => {
      client.post(() => poll.interrupt());
      await poll.wait(events, PATIENCE_MS);
      if (!events.interrupted) throw new Error('no answer');
    });
  } else {
    repeat(() => {
      let answered = false;
      client.post(() => {
        answered = true;
      });
      for (client.drainForPoll(); !answered; client.drainForPoll()) client.block(PATIENCE_MS);
    });
  }
  await ioThread.close();
}

async function pingMessages(): Promise<void> {
  const { worker } = await startPong({ kind });
  await repeatAwaiting(async () => {
    worker.postMessage(0);
    await new Promise((resolve) => worker.once('message', resolve));
  });
}

async function pingAtomics(): Promise<void> {
  const turns = new Int32Array(new SharedArrayBuffer(8));
  await startPong({ kind, turns });
  let turn = 0;
  repeat(() => {
    Atomics.store(turns, 0, ++turn);
    Atomics.notify(turns, 0);
    // A late notify of the turn before may end the wait.
    while (Atomics.load(turns, 1) !== turn) Atomics.wait(turns, 1, turn - 1);
  });
}

switch (kind) {
  case 'awakener-poll':
    await pingAwakener({});
    break;
  case 'awakener-spin':
    await pingAwakener({ spins: true });
    break;
  case 'awakener-wait':
    await pingAwakener({ waits: true });
    break;
  case 'io-thread-poll':
    await pingIoThread(false);
    break;
  case 'io-thread-wait':
    await pingIoThread(true);
    break;
  case 'post-message':
    await pingMessages();
    break;
  case 'atomics':
    await pingAtomics();
    break;
}
process.stdout.write(`${elapsedNs.join('\n')}\n`);
