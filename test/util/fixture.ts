/** The fixture's side of test/util/thread.ts. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { Outcome } from './thread.js';

/** Runs `body` with what the test handed over, and answers with what it returns or throws. `tell` sends on the way. */
export async function fixture<Data>(body: (data: Data, tell: (message: unknown) => void) => unknown): Promise<void> {
  const { data, port } = workerData as { data: Data; port: MessagePort };
  let outcome: Outcome;
  try {
    outcome = { value: await body(data, (message) => port.postMessage(message)) };
  } catch (error) {
    const { stack, message, code } = error as NodeJS.ErrnoException;
    outcome = { error: { message: stack ?? message, code } };
  }
  parentPort?.postMessage(outcome);
}
