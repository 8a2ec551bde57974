/**
 * Each test file has an I/O thread of its own, so files may run in parallel, in processes or in worker threads.
 * After each test nothing may be left on it: no source, no operation started and not released.
 */
import { appendFileSync } from 'node:fs';
import type { TestFn } from 'ava';
import { IoThread, type IoThreadOptions, type IoThreadStats } from '../../src/index.js';

/** Starts the file's I/O thread and checks it after every test. Tests of such a file run one after another. */
export function ioThreadFor(test: TestFn, options: IoThreadOptions = {}): IoThread {
  const ioThread = IoThread.start(options);
  test.before('the backend that runs is the one that was forced', (t) => {
    const forced = options.backend ?? process.env.SIDEPORT_BACKEND;
    if (forced) t.is(ioThread.backend, forced);
    else t.truthy(ioThread.backend);
    if (process.env.SIDEPORT_TEST_RECORD) appendFileSync(process.env.SIDEPORT_TEST_RECORD, `${ioThread.backend}\n`);
  });
  test.afterEach.always('nothing is left in flight', async (t) => {
    const { operationsStarted, operationsReleased, sources, streamsInTransfer, socketsInTransfer } =
      await quiet(ioThread);
    t.is(operationsStarted - operationsReleased, 0, 'operations started and not released');
    t.is(sources, 0, 'sources left open');
    t.is(streamsInTransfer, 0, 'streams detached and not attached');
    t.is(socketsInTransfer, 0, 'listeners and sockets detached and not attached');
  });
  test.after.always('the I/O thread ends', async (t) => {
    await ioThread.close();
    t.false(ioThread.isAlive);
  });
  return ioThread;
}

/** Asks until everything that was closed is reaped; a test that left something open gets the last answer. */
export async function quiet(ioThread: IoThread): Promise<IoThreadStats> {
  const untilMs = performance.now() + 5000;
  for (;;) {
    const stats = await ioThread.stats();
    const inFlight = stats.operationsStarted - stats.operationsReleased;
    const left = inFlight + stats.sources + stats.streamsInTransfer + stats.socketsInTransfer;
    if (left === 0 || performance.now() > untilMs) return stats;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
