/** A Poll's look for news before its thread sleeps, where that was asked for (`PollOptions.spinUs`). */
import { SpinScore } from '../../spin-score.js';
import { checkInteger } from '../check-integer.js';
import type { Client } from '../link/client.js';

const SPIN_MAX_US = 1_000_000;
/** Looks between two readings of the clock, which costs more than a look. */
const LOOKS = 16;

export class PollSpin {
  readonly #client: Client;
  readonly #spinMs: number;
  readonly #score = new SpinScore();

  /** `spinUs` 0: never. @throws ERR_SIDEPORT_INVALID_ARG */
  constructor(client: Client, spinUs: number) {
    checkInteger('spinUs', spinUs, 0, SPIN_MAX_US);
    this.#client = client;
    this.#spinMs = spinUs / 1000;
  }

  /** Whether something came, within `limitMs` and for the time that was asked for; false at once where that has not paid lately. */
  finds(limitMs: number): boolean {
    if (this.#spinMs === 0 || !this.#score.tryNow()) return false;
    const client = this.#client;
    client.flushLazily();
    const untilMs = performance.now() + Math.min(this.#spinMs, limitMs);
    do {
      for (let looks = 0; looks < LOOKS; looks++) {
        if (!client.hasNews()) continue;
        this.#score.found();
        return true;
      }
    } while (performance.now() < untilMs);
    this.#score.inVain();
    return false;
  }
}
