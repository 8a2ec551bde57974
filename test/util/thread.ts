/**
 * Threads for tests: a fixture runs in a worker, steered by barriers in shared memory, and answers with one value.
 */
import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { SharedIoThread } from '../../src/index.js';

/** How long anybody waits for anybody; a test that waits this long has failed. */
export const PATIENCE_MS = 20_000;

/** A counter in shared memory: threads add to it, others wait until it has reached a number. */
export class Barrier {
  readonly words: Int32Array<SharedArrayBuffer>;

  constructor(words = new Int32Array(new SharedArrayBuffer(4))) {
    this.words = words;
  }

  get count(): number {
    return Atomics.load(this.words, 0);
  }

  arrive(): void {
    Atomics.add(this.words, 0, 1);
    Atomics.notify(this.words, 0);
  }

  /** Blocks until `count` have arrived. */
  await(count: number): void {
    const untilMs = performance.now() + PATIENCE_MS;
    for (let now = this.count; now < count; now = this.count) {
      if (performance.now() > untilMs) throw new Error(`${now} of ${count} arrived`);
      Atomics.wait(this.words, 0, now, 1000);
    }
  }

  /** As {@link await}, without blocking the event loop. */
  async reached(count: number): Promise<void> {
    const untilMs = performance.now() + PATIENCE_MS;
    while (this.count < count) {
      if (performance.now() > untilMs) throw new Error(`${this.count} of ${count} arrived`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** What a fixture posts: how it ended. */
export type Outcome = { readonly value: unknown } | { readonly error: { message: string; code?: string | undefined } };

/** A worker that runs a fixture of test/fixtures. */
export class TestThread<Value = unknown> {
  readonly worker: Worker;
  /** What the fixture returned; rejects with what it threw. */
  readonly value: Promise<Value>;
  /** The worker's exit code. */
  readonly exited: Promise<number>;

  readonly #port: MessagePort;

  constructor(fixture: string, data: unknown, transferList: readonly MessagePort[] = []) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.unref();
    const workerData = { data, port: port2 };
    this.worker = new Worker(new URL(`../fixtures/${fixture}.js`, import.meta.url), {
      workerData,
      transferList: [port2, ...transferList],
    });
    this.exited = new Promise((resolve) => this.worker.once('exit', resolve));
    this.value = new Promise<Value>((resolve, reject) => {
      this.worker.once('error', reject);
      this.worker.once('message', (outcome: Outcome) => {
        if ('value' in outcome) resolve(outcome.value as Value);
        else reject(Object.assign(new Error(`${fixture}: ${outcome.error.message}`), { code: outcome.error.code }));
      });
      void this.exited.then((code) => reject(new Error(`${fixture} ended with ${code} and no answer`)));
    });
    // Whoever needs the value awaits it; a test that has failed meanwhile does not.
    this.value.catch(() => {});
  }

  /** The next message that the fixture sends on the way. */
  async message<Message>(): Promise<Message> {
    this.#port.ref();
    const [message] = await Promise.race([once(this.#port, 'message'), this.value.then(() => [])]);
    this.#port.unref();
    return message as Message;
  }

  /** The value, once the thread has ended by itself. */
  async finish(): Promise<Value> {
    const value = await this.value;
    await this.exited;
    return value;
  }
}

/** What every fixture that uses an I/O thread is handed. */
export interface WithIoThread {
  readonly ioThread: SharedIoThread;
}
