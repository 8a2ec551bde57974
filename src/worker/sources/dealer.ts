/** To whom what comes for a shared source goes: the eligible sharer that is least behind, round robin on ties. */

export interface Dealable {
  /** Whether it is to be dealt anything. */
  readonly isEligible: boolean;
  /** What it was dealt and has not taken. */
  readonly behind: number;
  /** It has let something lie for long: others come first, whatever they are behind. */
  readonly isStalled: boolean;
}

export class Dealer<Sharer extends Dealable> {
  #sharers: readonly Sharer[] = [];
  /** Where the next round begins. */
  #next = 0;

  get sharers(): readonly Sharer[] {
    return this.#sharers;
  }

  add(sharer: Sharer): void {
    this.#sharers = [...this.#sharers, sharer];
  }

  remove(sharer: Sharer): void {
    this.#sharers = this.#sharers.filter((other) => other !== sharer);
  }

  /** Who gets what has come; the next round begins behind it. Undefined when nobody is eligible. */
  next(): Sharer | undefined {
    const sharer = this.candidate();
    if (sharer) this.dealtTo(sharer);
    return sharer;
  }

  /** Who would get it. To look is not to deal: asked again, it is the same one. */
  candidate(): Sharer | undefined {
    const [only] = this.#sharers;
    if (this.#sharers.length === 1) return only?.isEligible ? only : undefined;
    let best: Sharer | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < this.#sharers.length; turn++) {
      const sharer = this.#sharers[(this.#next + turn) % this.#sharers.length] as Sharer;
      if (!sharer.isEligible) continue;
      const { behind } = sharer;
      const rank = sharer.isStalled ? behind + STALLED : behind;
      if (rank >= least) continue;
      [best, least] = [sharer, rank];
      if (least === 0) break;
    }
    return best;
  }

  /** A candidate got it. */
  dealtTo(sharer: Sharer): void {
    this.#next = this.#sharers.indexOf(sharer) + 1;
  }
}

/** More than anybody is behind. */
const STALLED = 2 ** 32;
