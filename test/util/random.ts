/** Repeatable randomness. A test that uses it logs the seed; SIDEPORT_TEST_SEED repeats a run. */
import type { ExecutionContext } from 'ava';

export class Random {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** Seeded by SIDEPORT_TEST_SEED or anew, and says so. */
  static for(t: ExecutionContext): Random {
    const given = process.env.SIDEPORT_TEST_SEED;
    const random = new Random(given ? Number(given) : Math.trunc(Math.random() * 2 ** 32));
    t.log(`SIDEPORT_TEST_SEED=${random.seed}`);
    return random;
  }

  /** 0 <= n < 2^32 (mulberry32). */
  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return (z ^ (z >>> 14)) >>> 0;
  }

  /** 0 <= n < 1. */
  unit(): number {
    return this.uint32() / 2 ** 32;
  }

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.unit() * (most - least + 1));
  }

  /** As many below as above every power: sizes as they occur in the field. */
  logUniform(least: number, most: number): number {
    return Math.round(Math.exp(Math.log(least) + this.unit() * (Math.log(most) - Math.log(least))));
  }

  bytes(length: number): Buffer {
    const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => this.uint32());
    return Buffer.from(words.buffer, 0, length);
  }
}

/** Scales counts of messages and rounds: a slow platform sets SIDEPORT_TEST_SCALE to a fraction. Never below `least`. */
export function scaled(count: number, least = 1): number {
  return Math.max(least, Math.round(count * Number(process.env.SIDEPORT_TEST_SCALE ?? 1)));
}
