/**
 * Whether it pays to look for work a little longer before sleeping. Waking a thread costs some 25 us, so a short look pays
 * while traffic goes back and forth; it only burns a core when nothing comes.
 *
 * A score from 0 to 8 decides: a look that found work adds one, a look in vain takes two; at 0 only every
 * 32nd opportunity is tried.
 */
const SCORE_MAX = 8;
const PROBE_EVERY = 32;

export class SpinScore {
  #score = SCORE_MAX / 2;
  #opportunities = 0;

  /** There is an opportunity to look: whether to take it. */
  tryNow(): boolean {
    return this.#score > 0 || ++this.#opportunities % PROBE_EVERY === 0;
  }

  found(): void {
    this.#score = Math.min(SCORE_MAX, this.#score + 1);
  }

  inVain(): void {
    this.#score = Math.max(0, this.#score - 2);
  }
}
