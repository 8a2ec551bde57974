/**
 * When the I/O thread looks for work a little longer before it sleeps. Not after a turn with many completions: under such load work
 * comes in batches anyway (measured: spinning gains nothing at 50 connections).
 */
import { SpinScore } from '../../spin-score.js';

const BUSY_COMPLETIONS = 2;

export class Spin {
  readonly #spinMs: number;
  /** As `NativePort.clock`: a thread that looks a hundred times for each message must not make a number each time. */
  readonly #clock: Float64Array;
  readonly #score = new SpinScore();
  #untilMs = 0;
  #spinning = false;

  constructor(spinUs: number, clock: Float64Array) {
    this.#clock = clock;
    this.#spinMs = spinUs / 1000;
  }

  /** The loop has nothing to do; `completions` came in the last turn that had some. True: look again instead of sleeping. */
  lookAgain(completions: number): boolean {
    if (this.#spinMs === 0) return false;
    const nowMs = this.#clock[0] as number;
    if (this.#spinning) {
      if (nowMs < this.#untilMs) return true;
      this.#spinning = false;
      this.#score.inVain();
      return false;
    }
    if (completions > BUSY_COMPLETIONS || !this.#score.tryNow()) return false;
    this.#spinning = true;
    this.#untilMs = nowMs + this.#spinMs;
    return true;
  }

  /** The loop has something to do. */
  foundWork(): void {
    if (!this.#spinning) return;
    this.#spinning = false;
    this.#score.found();
  }
}
