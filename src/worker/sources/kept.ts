/**
 * Listeners and datagram sockets that moved away from a client and have not arrived at another (DETACH_SHARED in protocol/submissions.ts): each is kept
 * open, with sharers or without. All have the same time, so the order in which they came is the order in which they are due.
 *
 * ```
 *   DETACH_SHARED ──► kept ──ATTACH_SHARED──► one more sharer
 *                       └──transferTimeoutMs over, or the I/O thread closes──► let go: closes if it has no sharer
 * ```
 *
 * All of it happens on the I/O thread, so nothing but the order of its steps decides between joining and expiry.
 */
import type { Session } from '../clients/session.js';
import { type Shareable, sharedName } from './shareable.js';

/** What stays open while it is kept, once for each client that it moves away from. */
export interface Keepable extends Shareable {
  keep(): void;
  letGo(): void;
}

interface Entry {
  readonly source: Keepable;
  readonly dueMs: number;
}

export class Kept {
  readonly #timeoutMs: number;
  readonly #entries = new Map<string, Entry>();
  /** Without sharers, and closing: nobody else waits for them. */
  readonly #ending = new Set<Keepable>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#entries.size + this.#ending.size;
  }

  /** False: it was submitted for this slot before. */
  add(source: Keepable, { clientId }: Session, slot: number, generation: number): boolean {
    const name = sharedName(clientId, slot, generation);
    if (this.#entries.has(name)) return false;
    source.keep();
    this.#entries.set(name, { source, dueMs: performance.now() + this.#timeoutMs });
    return true;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  get(name: string): Shareable | undefined {
    return this.#entries.get(name)?.source;
  }

  /** It has arrived, or nobody will have it. */
  remove(name: string): void {
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    entry?.source.letGo();
  }

  expire(nowMs: number): void {
    for (const [name, { dueMs }] of this.#entries) {
      if (dueMs > nowMs) return;
      this.remove(name);
    }
  }

  /** The I/O thread ends. */
  close(): void {
    for (const name of [...this.#entries.keys()]) this.remove(name);
  }

  /** One that no client has closes. */
  ends(source: Keepable): void {
    this.#ending.add(source);
  }

  /** It is closed. */
  ended(source: Keepable): void {
    this.#ending.delete(source);
  }
}
