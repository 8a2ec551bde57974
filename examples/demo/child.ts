/** A child process of the demo, and the messages from it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** How long a process may take to end when it is asked to. */
const END_MS = 3000;

export class Child<Order extends object, Report extends { readonly kind: string }> {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #exited: Promise<unknown>;

  /** `file` lies beside this one. */
  constructor(file: string, args: readonly string[] = []) {
    this.#name = [file, ...args].join(' ');
    this.#process = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#exited = once(this.#process, 'exit');
  }

  send(order: Order): void {
    this.#process.send(order);
  }

  /**
   * The next report of that kind; others on the way go to `onOther`.
   *
   * @throws when the process ends instead
   */
  next<Kind extends Report['kind']>(
    kind: Kind,
    onOther: (report: Report) => void = () => {},
  ): Promise<Extract<Report, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#process.off('message', receive);
        this.#process.off('exit', fail);
      };
      const receive = (report: Report) => {
        if (report.kind !== kind) return onOther(report);
        settle();
        resolve(report as Extract<Report, { kind: Kind }>);
      };
      const fail = (code: number | null, signal: string | null) => {
        settle();
        reject(new Error(`${this.#name} ended unexpectedly (${signal ?? code})`));
      };
      this.#process.on('message', receive);
      this.#process.on('exit', fail);
    });
  }

  /** Resolves when it has ended by itself, after `order` or the loss of its channel; by force if that takes too long. */
  async end(order?: Order): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    if (order) this.send(order);
    else this.#process.disconnect();
    const timer = setTimeout(() => this.kill(), END_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}
