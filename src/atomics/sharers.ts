/**
 * How many objects share the file of a Unix socket: one word. Whoever takes it to 0 removes the file; nobody joins after that.
 *
 * Ordering. Up and down are read-modify-writes of one word, so the order of all of them is one, and exactly one takes it to 0. A
 * join is a swap from a count above 0: it comes before the last leave, which then is not the last, or finds 0. So no file is removed
 * under a sharer that has joined.
 */

/** The first sharer, while it alone knows the word. */
export function firstSharer(word: Int32Array): void {
  Atomics.store(word, 0, 1);
}

/** False: the last one has left. */
export function joinSharers(word: Int32Array): boolean {
  for (let count = Atomics.load(word, 0); count > 0; ) {
    const was = Atomics.compareExchange(word, 0, count, count + 1);
    if (was === count) return true;
    count = was;
  }
  return false;
}

/** True for the last. */
export function leaveSharers(word: Int32Array): boolean {
  return Atomics.sub(word, 0, 1) === 1;
}
