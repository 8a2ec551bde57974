/**
 * Signals: how any thread reaches one client thread without the I/O thread, for `Awakener.wake()` and
 * `Poll.interrupt()`. Each signal has a word of its own; the client's SIGNALS counter says that one of them changed.
 *
 * ```
 *        signalling thread                     client
 *   B1   word := 1                        C1   n := SIGNALS; if n is what I saw last: nothing to do
 *   B2   SIGNALS += 1                     C2   remember n
 *   B3   doorbell protocol                C3   swap each of my signal words to 0
 * ```
 *
 * Ordering. B1 precedes B2 and both are SeqCst: a client that sees the new SIGNALS sees the word. C2 precedes C3, so a
 * signal raised during the scan either is taken by it or has left SIGNALS at a value not yet seen.
 * Signals coalesce: several before a look give one.
 */
import { Header } from '../protocol/client-memory.js';

/** A fresh signal word. */
export function newSignal(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

/**
 * B1, B2; B3 follows. Every wake takes every step, also when the signal is raised already: whoever raised it may have been
 * terminated between two steps (seen: between B1 and B2), and then only a later wake completes what it began.
 */
export function raiseSignal(signal: Int32Array, words: Int32Array): void {
  Atomics.store(signal, 0, 1);
  Atomics.add(words, Header.SIGNALS, 1);
}

/** C3. Whether the signal was raised. */
export function takeSignal(signal: Int32Array): boolean {
  return Atomics.exchange(signal, 0, 0) === 1;
}

/** C1. */
export function signalCount(words: Int32Array): number {
  return Atomics.load(words, Header.SIGNALS);
}

/** A fresh signal word with a value beside it. */
export function newSignalledValue(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8));
}

/**
 * B0, before the signal is raised: what it is about. A client that takes the signal (C3) loads this value or a later one; whoever
 * loads it without a signal sees some value that was stored, and the signal for the last one is still to come.
 */
export function setSignalledValue(signal: Int32Array, value: number): void {
  Atomics.store(signal, 1, value);
}

export function signalledValue(signal: Int32Array): number {
  return Atomics.load(signal, 1);
}
