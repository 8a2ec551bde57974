/**
 * Who closes a descriptor that a client lends to the I/O thread: one word per slot, one swap.
 *
 * ```
 *            I/O thread takes the OPEN submission
 *   LENT(g) ───────────────────────────────────────► ADOPTED(g)     the port closes
 *      │
 *      └── client closes, or its thread ends, before that ──► CLOSED   the client's side closes
 * ```
 *
 * Both edges are compare-and-swap from LENT(g), so exactly one succeeds, at whatever instruction either thread is
 * terminated. The generation keeps a late swap from hitting the slot's next tenant. Both edges are in native code: the
 * client's (`Descriptor`) because a terminated thread runs no JavaScript, the I/O thread's (`NativePort.claim`) because one that is
 * terminated between the swap and the turn that adopts the descriptor must still close it.
 */
import { Slot, slotBase } from '../protocol/client-memory.js';

export const CLOSED = 0;

export function lent(generation: number): number {
  return (generation << 2) | 1;
}

function adopted(generation: number): number {
  return (generation << 2) | 2;
}

/** The word's place, for `Descriptor.lend`. */
export function ownerWord(slot: number): number {
  return slotBase(slot) + Slot.OWNER;
}

/**
 * Client: offers the descriptor, before the OPEN submission is published, or the slot, before JOIN is. A store, as the slot's last tenant is
 * decided (its RELEASED was read) and nobody else knows of this one; publishing the submission orders it before the I/O thread's swap.
 */
export function offerDescriptor(words: Int32Array, slot: number, generation: number): void {
  Atomics.store(words, ownerWord(slot), lent(generation));
}

/**
 * Client: whether the I/O thread has adopted the descriptor, waiting up to `timeoutMs` for it. Nobody notifies, since mostly nobody
 * waits: so it looks every millisecond, and a swap that a look misses the next one sees. LENT of this generation is left once and never
 * comes back, so 'not-equal' is final. True also for a slot whose descriptor never was lent, as an accepted one's.
 */
export function awaitAdopted(words: Int32Array, slot: number, generation: number, timeoutMs: number): boolean {
  const [at, still] = [ownerWord(slot), lent(generation)];
  for (let leftMs = timeoutMs; leftMs > 0; leftMs--) if (Atomics.wait(words, at, still, 1) === 'not-equal') return true;
  return false;
}

/**
 * I/O thread: the client offered its slot, without a descriptor, to a listener that it shares: joined, or there is none. A store suffices where
 * adopting needs a swap: without a descriptor the client's side has nothing to close, and never swaps this word. The client, which waits, sees by
 * it that the RELEASED of a refusal is its only trace: that was pushed before, and is published after.
 */
export function answerOffer(words: Int32Array, slot: number, generation: number, joined: boolean): void {
  Atomics.store(words, ownerWord(slot), joined ? adopted(generation) : CLOSED);
}

/** Client, once {@link awaitAdopted}: whether it was. The word has left LENT for good, so a load sees what it was left for. */
export function wasAdopted(words: Int32Array, slot: number, generation: number): boolean {
  return Atomics.load(words, ownerWord(slot)) === adopted(generation);
}

/** The native half of adopting. */
export interface Claimant {
  claim(words: Int32Array, index: number, from: number, to: number, fd: number): boolean;
}

/**
 * I/O thread: true when the descriptor is now the port's; false when the client closed it first. In native code a swap from LENT of this
 * generation, sequentially consistent: so is the client's, and one of them fails.
 */
export function adoptDescriptor(
  port: Claimant,
  words: Int32Array,
  slot: number,
  generation: number,
  fd: number,
): boolean {
  return port.claim(words, ownerWord(slot), lent(generation), adopted(generation), fd);
}
