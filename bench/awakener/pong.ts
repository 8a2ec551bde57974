/** The answering thread of ping.ts. It reports ready with the name of its Awakener, if it has one. */
import { parentPort, workerData } from 'node:worker_threads';
import { Awakener, Events, IoThread, Poll, type SharedAwakener, type SharedIoThread } from '../../src/index.js';
import type { Kind } from './kinds.js';

export interface PongTask {
  readonly kind: Kind;
  readonly roundTrips: number;
  readonly ioThread?: SharedIoThread;
  readonly awakener?: SharedAwakener;
  readonly pollSpinUs?: number;
  /** Word 0 counts the pings, word 1 the answers. */
  readonly turns?: Int32Array;
}

const task = workerData as PongTask;

switch (task.kind) {
  case 'awakener-poll':
  case 'awakener-spin':
  case 'awakener-wait':
    await answerAwakener(task.kind === 'awakener-wait');
    break;
  case 'post-message':
    answerMessages();
    break;
  case 'atomics':
    answerAtomics(task.turns as Int32Array);
    break;
}

async function answerAwakener(waits: boolean): Promise<void> {
  const { pollSpinUs: spinUs = 0 } = task;
  const poll = new Poll({ ioThread: IoThread.from(task.ioThread as SharedIoThread), spinUs });
  const events = new Events(1);
  const own = new Awakener(poll.registry, 1);
  const other = Awakener.from(task.awakener as SharedAwakener);
  parentPort?.postMessage(own.share());
  for (let count = 0; count < task.roundTrips; count++) {
    if (waits) await poll.wait(events);
    else poll.poll(events);
    other.wake();
  }
}

function answerMessages(): void {
  let left = task.roundTrips;
  parentPort?.on('message', () => {
    parentPort?.postMessage(0);
    if (--left === 0) parentPort?.close();
  });
  parentPort?.postMessage('ready');
}

function answerAtomics(turns: Int32Array): void {
  parentPort?.postMessage('ready');
  for (let turn = 1; turn <= task.roundTrips; turn++) {
    while (Atomics.load(turns, 0) !== turn) Atomics.wait(turns, 0, turn - 1);
    Atomics.store(turns, 1, turn);
    Atomics.notify(turns, 1);
  }
}
