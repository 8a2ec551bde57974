/** The load on one target: messages on open connections, and new connections. */
import { EchoConnection, httpProbe } from './load-clients.js';
import type { Samples, Target } from './messages.js';

/** Echo connections per target; each sends a message every 20 ms, in turn. */
const CONNECTIONS = 20;
export const MESSAGE_INTERVAL_MS = 1;
/** New connections, each with one HTTP request. */
const PROBE_INTERVAL_MS = 10;

/** Its connections, and what they measured since it was last asked. */
export class TargetLoad {
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
    const ms = await httpProbe(this.#target.http);
    // Not in one expression with the await, which would add it to the samples of when it began, taken by now.
    this.#acceptMs.push(ms);
    this.#probesOpen--;
  }
}
