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
 * Ordering. The detaching client stores pending before it publishes DETACH_STREAM, and hands the name out after that. Both edges from
 * pending are one compare-and-swap on the same 64 bits, so exactly one succeeds. The I/O thread keeps the slot (no RELEASED)
 * until the claim is decided; so while a name is undecided its slot has no other tenant, and afterwards the
 * generation in the word tells a late claim from the next tenant's. The claimant's id is in the same word, so whoever looks at a
 * claimed stream that was never attached knows whose death to look for. `test/model/claim.pml`.
 */
import { Slot, slotBase } from '../protocol/client-memory.js';
import { NameUse } from '../protocol/transfer.js';

const PENDING = 0n;
const EXPIRED = 0xffff_ffffn;

function claimWord(generation: number, by: bigint): bigint {
  return (BigInt(generation) << 32n) | by;
}

/** In units of 64 bits; `Slot.CLAIM` is even. */
function claimIndex(slot: number): number {
  return (slotBase(slot) + Slot.CLAIM) >> 1;
}

function wide(words: Int32Array): BigInt64Array {
  return new BigInt64Array(words.buffer);
}

/** Detaching client, before DETACH_STREAM is published. */
export function offerClaim(words: Int32Array, slot: number, generation: number): void {
  Atomics.store(wide(words), claimIndex(slot), claimWord(generation, PENDING));
}

/** Attaching client: true when the stream is its own from now on. */
export function claim(words: Int32Array, slot: number, generation: number, clientId: number): boolean {
  const pending = claimWord(generation, PENDING);
  return (
    Atomics.compareExchange(wide(words), claimIndex(slot), pending, claimWord(generation, BigInt(clientId))) === pending
  );
}

/** I/O thread: 0 when nobody will have the stream any more, else the client that has claimed it. */
export function expireClaim(words: Int32Array, slot: number, generation: number): number {
  const pending = claimWord(generation, PENDING);
  const was = Atomics.compareExchange(wide(words), claimIndex(slot), pending, claimWord(generation, EXPIRED));
  return was === pending ? 0 : Number(was & 0xffff_ffffn);
}

/** Attaching thread: what the name's use word was; FRESH means that it is USED now, by us. */
export function useName(use: Int32Array): number {
  return Atomics.compareExchange(use, 0, NameUse.FRESH, NameUse.USED);
}

/** Attaching thread: the name was fresh, but its time is over; whoever tries again is told the same. */
export function nameExpired(use: Int32Array): void {
  Atomics.store(use, 0, NameUse.EXPIRED);
}
