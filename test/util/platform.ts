/** What the system under test cannot do, and tests that are skipped for it, each with its reason. */
import test from 'ava';

export const onWindows = process.platform === 'win32';
/** Wine stands in for Windows; `npm run test:windows` says so. */
export const underWine = process.env.SIDEPORT_TEST_WINE === '1';

/** Multiplies the patience with child processes: Wine starts one in a second or two, with both cores its own. */
export const slowness = underWine ? 4 : 1;

/** `test`, or `test.skip` when `missing` holds. The runner compares what was skipped with `test/skips.json`. */
export function unless(missing: boolean, _reason: string): typeof test | typeof test.skip {
  return missing ? test.skip : test;
}
