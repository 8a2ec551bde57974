/**
 * Words that one side stores and the other loads: states, wishes, answers. Each is stored after everything it announces and
 * loaded before anything it permits; SeqCst, so what precedes the store is visible after the load that reads it.
 *
 * Wishes (ROOM_WANTED, BUFFERS_WANTED) ask the other side to ring where it otherwise would not. The wisher stores the
 * wish *before* it raises its sleep flag and looks again; the other side publishes *before* it loads the wish. So either the
 * look finds what was published, or the load finds the wish: the same argument as in io-sleep.ts. ROOM_WANTED says as well how many sends must
 * complete for it; a load that finds the wish knows at least the sends published before it, so the one that makes up the number rings. BUFFERS_WANTED is besides news
 * to the client: it is stored before the doorbell is claimed and looked at after the client's sleep flag is raised.
 */

import { Header } from '../protocol/client-memory.js';
import { Boot } from '../protocol/control.js';

export function setStatus(words: Int32Array, status: number): void {
  Atomics.store(words, Header.STATUS, status);
}

export function status(words: Int32Array): number {
  return Atomics.load(words, Header.STATUS);
}

/**
 * Client: to be rung once `sends` sends have completed, counted since it attached: fewer give room to nobody. A wish for fewer replaces one for
 * more in the same store, and is followed by the same look as a first one.
 */
export function wishForRoom(words: Int32Array, sends: number): void {
  Atomics.store(words, Header.ROOM_WANTED, wish(sends));
}

/** Client: nobody waits any more. Nothing is to be seen by it: a ring for the wish that was is one too many, and no more. */
export function withdrawWishForRoom(words: Int32Array): void {
  Atomics.store(words, Header.ROOM_WANTED, 0);
}

/** I/O thread, after it has published `sends` completed sends in all: whether the client wishes to hear of it. */
export function wantsRoom(words: Int32Array, sends: number): boolean {
  const wished = Atomics.load(words, Header.ROOM_WANTED);
  return wished !== 0 && ((wish(sends) - wished) | 0) >= 0;
}

/** Never 0; modulo 2^31, while the difference of two counts is at most that of the send buffers. */
function wish(sends: number): number {
  return (sends << 1) | 1;
}

/** Bits of `BuffersWanted`. */
export function wishForBuffers(words: Int32Array, wanted: number): void {
  Atomics.store(words, Header.BUFFERS_WANTED, wanted);
}

export function buffersWanted(words: Int32Array): number {
  return Atomics.load(words, Header.BUFFERS_WANTED);
}

/** For the statistics; nothing is decided by it, so no order matters. */
export function setCopiedBytes(words: Int32Array, bytes: number): void {
  Atomics.store(words, Header.COPIED_BYTES, bytes);
}

export function copiedBytes(words: Int32Array): number {
  return Atomics.load(words, Header.COPIED_BYTES);
}

/** Stores a word that another thread awaits with {@link awaitChange}, and wakes it. */
export function announce(words: Int32Array, at: number, value: number): void {
  Atomics.store(words, at, value);
  Atomics.notify(words, at);
}

/** Blocks until `words[at]` is no longer `value`, at most `timeoutMs`; returns what it is then. */
export function awaitChange(words: Int32Array, at: number, value: number, timeoutMs: number): number {
  Atomics.wait(words, at, value, timeoutMs);
  return Atomics.load(words, at);
}

/** The starting I/O thread's port, valid once the boot state is READY. */
export function bootPortId(boot: Int32Array): number {
  return Atomics.load(boot, Boot.PORT_ID);
}

export function setBootPortId(boot: Int32Array, portId: number): void {
  Atomics.store(boot, Boot.PORT_ID, portId);
}
