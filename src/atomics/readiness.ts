/**
 * A slot's readiness word: bits that the I/O thread adds and the client takes, with at most one READY entry in
 * the event ring per slot however often readiness changes.
 *
 * Ordering. The bits and QUEUED are one word, so one atomic OR tells the I/O thread whether an entry is under way: if
 * QUEUED was set, the client's exchange has not happened yet and will take these bits too. If it was clear, an entry
 * is pushed. The errno is stored before its bit; the exchange that takes the bit synchronises with the OR.
 */
import { Readiness, Slot, slotBase } from '../protocol/client-memory.js';
import { toLocal, toShared } from '../protocol/clock.js';

/**
 * I/O thread: adds bits. True: no entry is queued, the caller must push a READY event. The errno first: who takes its bit by the exchange has
 * read what this OR wrote, and so sees the store before it.
 */
export function addReadiness(words: Int32Array, slot: number, bits: number, errno = 0): boolean {
  const base = slotBase(slot);
  if (errno !== 0) Atomics.store(words, base + Slot.ERRNO, errno);
  return (Atomics.or(words, base + Slot.READINESS, bits | Readiness.QUEUED) & Readiness.QUEUED) === 0;
}

/**
 * Client, on reading the READY event: takes all bits, and QUEUED with them, in one exchange. A bit that is added right after finds QUEUED clear and
 * brings an entry of its own; none falls between.
 */
export function takeReadiness(words: Int32Array, slot: number): number {
  return Atomics.exchange(words, slotBase(slot) + Slot.READINESS, 0) & ~Readiness.QUEUED;
}

/** Client, after a FAILED bit, which came by an exchange: that orders this load behind the errno's store. */
export function readinessErrno(words: Int32Array, slot: number): number {
  return Atomics.load(words, slotBase(slot) + Slot.ERRNO);
}

/**
 * I/O thread: false if it is what the client was told last. The CARRIED bit follows, by an OR, so a client that takes the bit reads this figure or a
 * newer one, whose bit then comes as well. An exchange only for the comparison: there is no other writer once the slot is attached.
 */
export function setCarried(words: Int32Array, slot: number, bytes: number): boolean {
  return Atomics.exchange(words, slotBase(slot) + Slot.CARRIED, bytes) !== bytes;
}

/** Client, after a CARRIED bit, whose exchange orders this load behind the figure's store. It may be newer than the bit, never older. */
export function carried(words: Int32Array, slot: number): number {
  return Atomics.load(words, slotBase(slot) + Slot.CARRIED);
}

/**
 * Client, before it attaches a stream in the slot: what it takes to be unsent, until it is told. While it alone knows the slot; publishing
 * ATTACH_STREAM orders this before the I/O thread's exchange, which so never is overwritten, and compares with this figure.
 */
export function presumeCarried(words: Int32Array, slot: number, bytes: number): void {
  Atomics.store(words, slotBase(slot) + Slot.CARRIED, bytes);
}

/**
 * Client, while it alone knows the slot: a new generation starts with nothing ready. The I/O thread's last OR for the old one preceded its RELEASED,
 * which the client has read; its first for the new one follows a submission that is not published yet.
 */
export function clearReadiness(words: Int32Array, slot: number): void {
  Atomics.store(words, slotBase(slot) + Slot.READINESS, 0);
  Atomics.store(words, slotBase(slot) + Slot.ERRNO, 0);
}

/**
 * A timer's expirations. The I/O thread adds them before it adds EXPIRED, so a client that takes the bit takes them. Which setting they count
 * for is stored with them, and changes only when the client has asked for it: a client that finds another one than its last is told of a
 * setting that it has given up.
 */
export function addExpirations(words: Int32Array, slot: number, count: number): void {
  Atomics.add(words, slotBase(slot) + Slot.EXPIRATIONS, count);
}

/**
 * I/O thread: the timer is set anew. The count first: a client that finds the new setting must not take what is left of the old one for its
 * own. One that finds the old setting still is told nothing, and takes what comes with the next EXPIRED bit.
 */
export function resetExpirations(words: Int32Array, slot: number, setting: number): void {
  Atomics.store(words, slotBase(slot) + Slot.EXPIRATIONS, 0);
  Atomics.store(words, slotBase(slot) + Slot.TIMER_SETTING, setting);
}

/**
 * Client, after an EXPIRED bit: the expirations of this setting that were not taken yet. The setting is loaded first, in the reverse order of
 * {@link resetExpirations}: if it is this one, the count was cleared since, and holds only what belongs to it. It cannot change between the two, as
 * the I/O thread changes it only on this client's submission.
 */
export function takeExpirations(words: Int32Array, slot: number, setting: number): number {
  const base = slotBase(slot);
  if (Atomics.load(words, base + Slot.TIMER_SETTING) !== setting) return 0;
  return Atomics.exchange(words, base + Slot.EXPIRATIONS, 0);
}

/** Client, before SET_TIMER is published: plain stores, which the ring's tail publishes. */
export function setTimerDueMs(words: Int32Array, slot: number, dueMs: number): void {
  dueView(words, slot).setFloat64(0, toShared(dueMs));
}

/** I/O thread. Whatever the memory says becomes a time: what is none is long past. */
export function timerDueMs(words: Int32Array, slot: number): number {
  const dueMs = toLocal(dueView(words, slot).getFloat64(0));
  return Number.isFinite(dueMs) ? dueMs : 0;
}

function dueView(words: Int32Array, slot: number): DataView {
  return new DataView(words.buffer, words.byteOffset + 4 * (slotBase(slot) + Slot.TIMER_DUE));
}
