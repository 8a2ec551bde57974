/** The system under test. Without the test runner, so that fixtures, which are programs of their own, can ask as well. */

export const onWindows = process.platform === 'win32';
/** Wine stands in for Windows; `npm run test:windows` says so. */
export const underWine = process.env.SIDEPORT_TEST_WINE === '1';

/** Multiplies the patience with child processes: Wine starts one in a second or two, with both cores its own. */
export const slowness = underWine ? 4 : 1;
