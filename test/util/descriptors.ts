/** Uses up this process's descriptors, without changing its limit. */
import { closeSync, openSync, readdirSync } from 'node:fs';

export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Takes every descriptor that is left, but for `spare`; the returned function gives them back. */
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
