import test from 'ava';
import { Conductor } from './chaos/conductor.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows } from './util/platform.js';
import { Random, scaled } from './util/random.js';

const ioThread = ioThreadFor(test, { transferTimeoutMs: 5000 });

test('50 streams, TCP and Unix, move between 4 threads, some of them terminated, some streams split: no byte is lost, doubled or reordered', async (t) => {
  const random = Random.for(t);
  const moves = scaled(600);
  const chaos = new Conductor(ioThread, {
    streams: 50,
    threads: 4,
    seed: random.seed,
    stepsPerTermination: 30,
    goOn: ({ counters }) => counters.moves < moves || counters.terminations === 0,
  });
  await chaos.run();
  t.log(JSON.stringify(chaos.counters));
  const { streams, ended, killed, unixMoves, splits, halfMoves } = chaos.counters;
  t.is(ended + killed, streams);
  t.true(ended > 0 && killed > 0);
  t.true(splits > 0 && halfMoves > 0);
  t.is(unixMoves > 0, !onWindows);
  t.is((await ioThread.stats()).receiveBuffersHeld, 0);
});
