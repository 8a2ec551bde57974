/** This process's threads. */
import { readdirSync } from 'node:fs';

/** 0 where the system does not tell: two counts are compared. */
export function threadCount(): number {
  try {
    return readdirSync('/proc/self/task').length;
  } catch {
    return 0;
  }
}
