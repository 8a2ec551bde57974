/** This process's descriptors: counts them, uses them up. */
import { closeSync, openSync } from 'node:fs';
import { loadAddon } from '../../src/native.js';

const addon = loadAddon();

/** Sockets, pipes and the like that the process has open. */
export function openDescriptors(): number {
  return addon.countDescriptors();
}

/** Without changing the limit: takes every descriptor that is left, but for `spare`; the returned function gives them back. */
export function exhaustDescriptors(spare = 0): () => void {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
  }
  const giveBack = (count: number) => {
    for (const fd of taken.splice(0, count)) closeSync(fd);
  };
  giveBack(spare);
  return () => giveBack(taken.length);
}
