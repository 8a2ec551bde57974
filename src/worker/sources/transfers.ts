/**
 * Streams that no client has: detached and not yet attached (protocol/transfer.ts). All have the same time, so the order in
 * which they came is the order in which they are due.
 */
import { Offer } from '../../atomics/claim.js';
import { CloseMode } from '../../protocol/port-records.js';
import type { Session } from '../clients/session.js';
import type { Selector } from '../loop/selector.js';
import type { Departure } from './departure.js';
import type { TcpStream } from './tcp-stream.js';

/** How often a claimed stream whose ATTACH_STREAM has not come is looked after. */
const AGAIN_MS = 100;

/** A stream, or the writing half of one. */
export interface Movable {
  attach(session: Session, slot: number, generation: number): void;
  close(mode: number): void;
}

interface Transfer {
  readonly stream: Movable;
  readonly departure: Departure;
  dueMs: number;
}

export class Transfers {
  readonly #selector: Selector;
  readonly #timeoutMs: number;
  readonly #offered = new Map<string, Transfer>();
  /** Nobody will have them: they flush and close. */
  readonly #ending = new Set<Movable>();

  constructor(selector: Selector, timeoutMs: number) {
    this.#selector = selector;
    this.#timeoutMs = timeoutMs;
  }

  get size(): number {
    return this.#offered.size + this.#ending.size;
  }

  add(stream: Movable, departure: Departure): void {
    const { session, slot, generation } = departure;
    const dueMs = performance.now() + this.#timeoutMs;
    this.#offered.set(key(session.clientId, slot, generation), { stream, departure, dueMs });
  }

  has(clientId: number, slot: number, generation: number): boolean {
    return this.#offered.has(key(clientId, slot, generation));
  }

  /** A client that has claimed the stream attaches it. Undefined: it was never detached, as far as is known. */
  take(clientId: number, slot: number, generation: number): Movable | undefined {
    const name = key(clientId, slot, generation);
    const transfer = this.#offered.get(name);
    this.#offered.delete(name);
    transfer?.departure.decided();
    return transfer?.stream;
  }

  /** Closes what is overdue. */
  expire(nowMs: number): void {
    for (const [name, transfer] of this.#offered) {
      if (transfer.dueMs > nowMs) return;
      const { session, slot, generation } = transfer.departure;
      const claimedBy = session.claims.expire(slot, generation, Offer.DETACHED);
      const claimant = claimedBy === undefined ? undefined : this.#selector.session(claimedBy);
      this.#offered.delete(name);
      if (claimant && !claimant.draining) {
        // Between its swap and its ATTACH_STREAM. To the tail, where it is the next to be due at the latest then.
        transfer.dueMs = nowMs + AGAIN_MS;
        this.#offered.set(name, transfer);
      } else {
        this.#end(transfer);
      }
    }
  }

  /** The I/O thread ends: all are closed now. */
  close(): void {
    for (const transfer of this.#offered.values()) this.#end(transfer);
    this.#offered.clear();
  }

  /** A connection that no sharer of its listener has claimed, and no other can have. */
  abandon(stream: TcpStream): void {
    this.#ending.add(stream);
    stream.abandon();
  }

  /** A stream that was {@link close}d or expired is reaped. */
  ended(stream: Movable): void {
    this.#ending.delete(stream);
  }

  #end({ stream, departure }: Transfer): void {
    departure.decided();
    this.#ending.add(stream);
    stream.close(CloseMode.FLUSHED);
  }
}

function key(clientId: number, slot: number, generation: number): string {
  return `${clientId}/${slot}/${generation}`;
}
