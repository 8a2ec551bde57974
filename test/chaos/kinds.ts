/**
 * What else moves and is shared in a chaos run, besides the streams: each kind is one file with two classes. A `Kind` is on the conductor's thread and says
 * what happens next; a `Role` is on each owner's and does it.
 */
import type { Worker } from 'node:worker_threads';
import type { Event } from '../../src/index.js';
import { PATIENCE_MS } from '../util/thread.js';
import type { FromOwner, ToOwner } from './messages.js';

/** A thread that owns things, as the conductor sees it. */
export interface Owner {
  readonly worker: Worker;
  /** 1 and up; nobody else's ever. */
  readonly number: number;
  /** It is being terminated, or was. */
  gone: boolean;
}

export function send({ worker }: Owner, message: ToOwner): void {
  worker.postMessage(message);
}

export interface Kind {
  readonly counters: Readonly<Record<string, number>>;
  /** There is one more owner. */
  began(owner: Owner): void;
  /** An owner was terminated, and has ended. */
  ended(owner: Owner): void;
  /** One random change, and some traffic. */
  step(): void;
  /** An owner's message, which may be for another kind. */
  heard(owner: Owner, message: FromOwner): void;
  /**
   * Ends its traffic and checks it; nobody is terminated any more.
   *
   * @param check  throws when an owner has failed
   * @throws what was wrong
   */
  finish(check: () => void): Promise<void>;
  /** All owners have ended. */
  close(): void;
}

export interface Role {
  /** False: the message is another role's. */
  heard(message: ToOwner): boolean;
}

/** The tokens of what is no stream, and who handles their events. Streams' tokens are below these. */
export class Handlers {
  readonly #handlers = new Map<number, (event: Event) => void>();
  #next = 2 ** 31;

  add(handler: (event: Event) => void): number {
    this.#handlers.set(this.#next, handler);
    return this.#next++;
  }

  remove(token: number): void {
    this.#handlers.delete(token);
  }

  /** False: the token is a stream's. An event of what was closed or given away meanwhile is nobody's. */
  handle(event: Event): boolean {
    if (event.token < 2 ** 31) return false;
    this.#handlers.get(event.token)?.(event);
    return true;
  }
}

/** @throws when it does not hold in time; what `check` throws */
export async function until(condition: () => boolean, complaint: () => string, check: () => void): Promise<void> {
  const untilMs = performance.now() + 3 * PATIENCE_MS;
  while (!condition()) {
    check();
    if (performance.now() > untilMs) throw new Error(complaint());
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
