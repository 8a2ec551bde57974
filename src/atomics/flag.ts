/**
 * Words that one side stores and the other loads: states, wishes, answers. Each is stored after everything it announces and
 * loaded before anything it permits; SeqCst, so what precedes the store is visible after the load that reads it.
 *
 * Wishes (ROOM_WANTED, BUFFERS_WANTED) ask the other side to ring where it otherwise would not. The wisher stores the
 * wish *before* it raises its sleep flag and looks again; the other side publishes *before* it loads the wish. So either the
 * look finds what was published, or the load finds the wish: the same argument as in io-sleep.ts. BUFFERS_WANTED is besides news
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

export function wishForRoom(words: Int32Array, wanted: boolean): void {
  Atomics.store(words, Header.ROOM_WANTED, wanted ? 1 : 0);
}

export function wantsRoom(words: Int32Array): boolean {
  return Atomics.load(words, Header.ROOM_WANTED) !== 0;
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
