/**
 * The load driver, a process of its own: the same load for every target at the same time, on plain node:net.
 *
 * Messages are sent when they are due, whether or not earlier ones were answered. A driver that waits for each answer
 * would hardly send while a server does not answer, and so hardly measure the very thing this is about.
 */
import { EchoConnection, httpProbe } from './load-clients.js';
import type { LoadOrder, LoadReport, Samples, Target } from './messages.js';

/** Echo connections per target; each sends a message every 20 ms, in turn. */
const CONNECTIONS = 20;
const MESSAGE_INTERVAL_MS = 1;
/** New connections, each with one HTTP request. */
const PROBE_INTERVAL_MS = 10;
const REPORT_INTERVAL_MS = 200;
/** How long answers may stay out after the last message. */
const PATIENCE_MS = 2000;

class TargetLoad {
  readonly #target: Target;
  readonly #connections: readonly EchoConnection[];
  #acceptMs: number[] = [];
  #roundTripMs: number[] = [];
  #messages = 0;
  #probes = 0;
  #probesOpen = 0;

  constructor(target: Target) {
    this.#target = target;
    this.#connections = Array.from(
      { length: CONNECTIONS },
      () => new EchoConnection(target.echo, (ms) => this.#roundTripMs.push(ms)),
    );
  }

  async connected(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.connected));
  }

  /** Sends what is due `elapsedMs` after the start. */
  send(elapsedMs: number): void {
    for (; this.#messages * MESSAGE_INTERVAL_MS <= elapsedMs; this.#messages++) {
      this.#connections[this.#messages % CONNECTIONS]?.send();
    }
    for (; this.#probes * PROBE_INTERVAL_MS <= elapsedMs; this.#probes++) void this.#probe();
  }

  unanswered(): number {
    return this.#connections.reduce((sum, connection) => sum + connection.unanswered, this.#probesOpen);
  }

  takeSamples(): Samples {
    const samples = { acceptMs: this.#acceptMs, roundTripMs: this.#roundTripMs };
    this.#acceptMs = [];
    this.#roundTripMs = [];
    return samples;
  }

  end(): void {
    for (const connection of this.#connections) connection.end();
  }

  async #probe(): Promise<void> {
    this.#probesOpen++;
    this.#acceptMs.push(await httpProbe(this.#target.http));
    this.#probesOpen--;
  }
}

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
