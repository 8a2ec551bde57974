/**
 * Who gets a detached stream: one of the threads that have its name, or the I/O thread when its time is over. Two words.
 *
 * ```
 *   name's use word:  FRESH ──first thread to attach──► USED        (everybody else: used)
 *
 *   Slot.CLAIM:       pending(g) ──that thread──► claimed(g, its client id)
 *                         └──the I/O thread, after transferTimeoutMs──► expired(g)
 * ```
 *
 * The same word decides who gets a connection that a listener's sharer was dealt (worker/sources/sharer.ts): there the I/O thread stores
 * pending, before ACCEPTED is published.
 *
 * Ordering. The detaching client stores pending before it publishes DETACH_STREAM, and hands the name out after that. Both edges from
 * pending are one compare-and-swap on the same 64 bits, so exactly one succeeds. The I/O thread keeps the slot (no RELEASED)
 * until the claim is decided; so while a name is undecided its slot has no other tenant, and afterwards the
 * generation in the word tells a late claim from the next tenant's. The claimant's id is in the same word, so whoever looks at a
 * claimed stream that was never attached knows whose death to look for. `test/model/claim.pml`.
 */
import { Slot, slotBase } from '../protocol/client-memory.js';
import { NameUse } from '../protocol/transfer.js';

/**
 * What is to be claimed. Two values: a connection may be claimed, and detached from the same slot, before the I/O thread looks
 * at what it dealt, and must not look unclaimed then.
 */
export const Offer = { DETACHED: 0n, DEALT: 0xffff_fffen } as const;
type OfferKind = (typeof Offer)[keyof typeof Offer];

const EXPIRED = 0xffff_ffffn;

/** The claims of one client's slots. */
export class Claims {
  readonly #wide: BigInt64Array;

  /** `words`: the client's control memory, all of it. */
  constructor(words: Int32Array) {
    this.#wide = new BigInt64Array(words.buffer);
  }

  /**
   * Detaching client, before DETACH_STREAM is published; I/O thread, before ACCEPTED is. A store, as nobody else writes the word now: the
   * slot's last claim is decided, and this one is named nowhere. Publishing orders it before whatever is done by the name.
   */
  offer(slot: number, generation: number, offer: OfferKind): void {
    Atomics.store(this.#wide, index(slot), word(generation, offer));
  }

  /**
   * Client: true when what was offered is its own from now on. A swap from pending, as is {@link expire}: one of the two succeeds. Whoever
   * succeeds sees all that was written before the offer, because the swap reads what the offer stored.
   */
  claim(slot: number, generation: number, offer: OfferKind, clientId: number): boolean {
    const pending = word(generation, offer);
    return Atomics.compareExchange(this.#wide, index(slot), pending, word(generation, BigInt(clientId))) === pending;
  }

  /**
   * I/O thread: whether neither edge has been taken. A look that may be late: pending may be claimed right after, so only {@link expire} decides.
   * What is not pending stays so.
   */
  isPending(slot: number, generation: number, offer: OfferKind): boolean {
    return Atomics.load(this.#wide, index(slot)) === word(generation, offer);
  }

  /**
   * I/O thread: undefined when nobody will have what was offered any more, else the client that has claimed it; 0 if that has offered it again, by
   * detaching it. The other swap from pending.
   */
  expire(slot: number, generation: number, offer: OfferKind): number | undefined {
    const pending = word(generation, offer);
    const was = Atomics.compareExchange(this.#wide, index(slot), pending, word(generation, EXPIRED));
    return was === pending ? undefined : Number(was & 0xffff_ffffn);
  }
}

function word(generation: number, by: bigint): bigint {
  return (BigInt(generation) << 32n) | by;
}

/** In units of 64 bits; `Slot.CLAIM` is even. */
function index(slot: number): number {
  return (slotBase(slot) + Slot.CLAIM) >> 1;
}

/**
 * Attaching thread: what the name's use word was; FRESH means that it is USED now, by us. One swap for all who have the name, so one
 * thread at most goes on to claim. What the stream was is in the name itself, which was complete before it was handed out.
 */
export function useName(use: Int32Array): number {
  return Atomics.compareExchange(use, 0, NameUse.FRESH, NameUse.USED);
}

/** Attaching thread: the name was fresh, but its time is over; whoever tries again is told the same. Only the thread that used it stores. */
export function nameExpired(use: Int32Array): void {
  Atomics.store(use, 0, NameUse.EXPIRED);
}
