/**
 * Polls until every expected event has come, in whatever order and however merged. Events that nobody expects are an
 * error only where `exactly` is asked for: any source may be ready more often than a test cares about.
 */
import { type Event, Events, type Poll } from '../../src/index.js';

/** What an event must say; predicates not named do not matter. */
export interface Expected {
  readonly token: number;
  readonly readable?: boolean;
  readonly writable?: boolean;
  readonly error?: boolean;
  readonly readClosed?: boolean;
  readonly writeClosed?: boolean;
}

/** A plain copy of an event, which outlives the next poll. */
export interface Seen {
  readonly token: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly error: boolean;
  readonly readClosed: boolean;
  readonly writeClosed: boolean;
}

/** Long enough for a loaded machine; a test that waits this long has failed. */
const PATIENCE_MS = 10_000;

/** Blocks. Returns everything seen. */
export function expectEvents(poll: Poll, ...expected: Expected[]): Seen[] {
  const state = new Expectation(expected);
  const events = new Events(64);
  while (!state.met) {
    poll.poll(events, state.patienceMs());
    state.take(events);
  }
  return state.seen;
}

/** As {@link expectEvents}, with `wait`. */
export async function awaitEvents(poll: Poll, ...expected: Expected[]): Promise<Seen[]> {
  const state = new Expectation(expected);
  const events = new Events(64);
  while (!state.met) {
    await poll.wait(events, state.patienceMs());
    state.take(events);
  }
  return state.seen;
}

export function copyOf(event: Event): Seen {
  return {
    token: event.token,
    readable: event.isReadable,
    writable: event.isWritable,
    error: event.isError,
    readClosed: event.isReadClosed,
    writeClosed: event.isWriteClosed,
  };
}

class Expectation {
  readonly seen: Seen[] = [];
  #missing: Expected[];
  readonly #untilMs = performance.now() + PATIENCE_MS;

  constructor(expected: readonly Expected[]) {
    this.#missing = [...expected];
  }

  get met(): boolean {
    return this.#missing.length === 0;
  }

  patienceMs(): number {
    const leftMs = this.#untilMs - performance.now();
    if (leftMs > 0) return leftMs;
    throw new Error(`events did not come: ${JSON.stringify(this.#missing)}; seen: ${JSON.stringify(this.seen)}`);
  }

  /** One token's predicates may come in several events; each event strikes off what it brings. */
  take(events: Events): void {
    for (const event of events) {
      const seen = copyOf(event);
      this.seen.push(seen);
      this.#missing = this.#missing.map((missing) => without(missing, seen)).filter((missing) => !isMet(missing));
    }
  }
}

function without(expected: Expected, seen: Seen): Expected {
  if (expected.token !== seen.token) return expected;
  const left = Object.entries(expected).filter(
    ([name, value]) => name === 'token' || seen[name as keyof Seen] !== value,
  );
  return Object.fromEntries(left) as unknown as Expected;
}

function isMet(expected: Expected): boolean {
  return Object.keys(expected).length === 1;
}
