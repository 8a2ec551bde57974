/** A turn's order. The loop's selector and port are the test's, which notes what is called. */
import test from 'ava';
import { IoHeader } from '../../src/protocol/client-memory.js';
import type { Selector } from '../../src/worker/loop/selector.js';
import { TurnLoop } from '../../src/worker/loop/turn-loop.js';

function turnsWith(...completionCounts: number[]): string[] {
  const calls: string[] = [];
  const selector = {
    takeSubmissions: () => 0,
    runTimers: (limitMs: number) => limitMs,
    hasSubmissions: () => false,
    publish() {},
    releaseRetired: () => calls.push('release'),
    trimPools: () => calls.push('trim'),
    counters: { turns: 0, sleeps: 0 },
    port: {
      native: { clock: new Float64Array(1) },
      wakeReasons: 0,
      turn() {
        calls.push('turn');
        return completionCounts.shift() ?? 0;
      },
      dispatch: (count: number) => calls.push(`dispatch ${count}`),
    },
  };
  const ioHeader = new Int32Array(new SharedArrayBuffer(4 * IoHeader.WORDS));
  const loop = new TurnLoop(selector as unknown as Selector, ioHeader, 0);
  while (completionCounts.length > 0) loop.turn();
  return calls;
}

test('pools give memory back only after a turn without completions: one may name a buffer that looks unused', (t) => {
  t.deepEqual(turnsWith(0), ['turn', 'release', 'trim']);
  t.deepEqual(turnsWith(3), ['turn', 'release', 'dispatch 3']);
  t.deepEqual(turnsWith(1, 0, 2), [
    'turn',
    'release',
    'dispatch 1',
    'turn',
    'release',
    'trim',
    'turn',
    'release',
    'dispatch 2',
  ]);
});
