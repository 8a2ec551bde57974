/**
 * Whether to look for work a little longer before sleeping. Waking a thread costs some 25 us, so a short look pays
 * while traffic goes back and forth; it only burns a core when nothing comes.
 *
 * A score from 0 to 8 decides: a look that found work adds one, a look in vain takes two; at 0 only every
 * 32nd opportunity is tried. Nothing is looked for after a turn with many completions: under such load work
 * comes in batches anyway (measured: spinning gains nothing at 50 connections).
 */
const SCORE_MAX = 8;
const PROBE_EVERY = 32;
const BUSY_COMPLETIONS = 2;

export class Spin {
  readonly #spinMs: number;
  /** As `NativePort.clock`: a thread that looks a hundred times for each message must not make a number each time. */
  readonly #clock: Float64Array;
  #score = SCORE_MAX / 2;
  #opportunities = 0;
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
      this.#score = Math.max(0, this.#score - 2);
      return false;
    }
    if (completions > BUSY_COMPLETIONS) return false;
    if (this.#score === 0 && ++this.#opportunities % PROBE_EVERY !== 0) return false;
    this.#spinning = true;
    this.#untilMs = nowMs + this.#spinMs;
    return true;
  }

  /** The loop has something to do. */
  foundWork(): void {
    if (!this.#spinning) return;
    this.#spinning = false;
    this.#score = Math.min(SCORE_MAX, this.#score + 1);
  }
}
