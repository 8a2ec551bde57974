/**
 * Runs a fixture in a process of its own, under a watchdog: exit paths can only be seen from outside.
 *
 * The child says things on its standard output, one JSON line each, written synchronously, so that nothing is lost with
 * a thread that ends right after.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WATCHDOG_MS } from '../util/watchdog.js';

/** What a fixture says, see `fixtures/say.ts`. */
export interface Message {
  readonly kind: string;
  readonly data: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly said: readonly Message[];
  readonly stderr: string;
}

export interface ChildOptions {
  /** Flags for the child's Node. */
  readonly execArgv?: readonly string[];
  /** More than the default, for one that has much to do. */
  readonly watchdogMs?: number;
}

export class Child {
  readonly #process: ChildProcess;
  readonly #said: Message[] = [];
  readonly #listeners = new Set<() => void>();
  #partial = '';
  #stderr = '';
  #hung = false;
  /** Rejects when the watchdog had to end it. */
  readonly ended: Promise<Ended>;

  /** Starts `fixtures/<fixture>.js`; `args` is what its `scenario()` gives. */
  constructor(fixture: string, args: object = {}, { execArgv = [], watchdogMs = WATCHDOG_MS }: ChildOptions = {}) {
    const file = fileURLToPath(new URL(`./fixtures/${fixture}.js`, import.meta.url));
    const child = spawn(process.execPath, [...execArgv, file, JSON.stringify(args)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.#process = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    const watchdog = setTimeout(() => {
      this.#hung = true;
      child.kill('SIGKILL');
    }, watchdogMs);
    this.ended = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(watchdog);
        const ended = { code, signal, said: this.#said, stderr: this.#stderr };
        if (this.#hung) reject(new Error(`${fixture} ${JSON.stringify(args)} hung: ${JSON.stringify(ended, null, 1)}`));
        else resolve(ended);
      });
    });
    // Whoever awaits it later still gets the rejection.
    this.ended.catch(() => {});
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** The data of the first message of that kind. Rejects if the child ends without it. */
  async until(kind: string): Promise<unknown> {
    const find = () => this.#said.find((message) => message.kind === kind);
    const heard = new Promise<void>((resolve) => {
      const look = () => {
        if (!find()) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      look();
    });
    await Promise.race([heard, this.ended]);
    const message = find();
    if (!message) throw new Error(`the child never said ${kind}: ${JSON.stringify(await this.ended, null, 1)}`);
    return message.data;
  }

  #hear(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() as string;
    for (const line of lines) this.#said.push(JSON.parse(line) as Message);
    for (const look of [...this.#listeners]) look();
  }
}

/** The data of every message of that kind, in order. */
export function said({ said }: Ended, kind: string): unknown[] {
  return said.filter((message) => message.kind === kind).map(({ data }) => data);
}
