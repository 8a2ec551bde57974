/** What the system under test cannot do, and tests that are skipped for it, each with its reason. */
import test from 'ava';

export { onWindows, slowness, underWine } from './system.js';

/** `test`, or `test.skip` when `missing` holds. The runner compares what was skipped with `test/skips.json`. */
export function unless(missing: boolean, _reason: string): typeof test | typeof test.skip {
  return missing ? test.skip : test;
}
