import test from 'ava';
import { Conductor } from './chaos/conductor.js';
import { NOTHING, remains } from './chaos/remains.js';
import { openDescriptors } from './util/descriptors.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows } from './util/platform.js';
import { Random, scaled } from './util/random.js';

const ioThread = ioThreadFor(test, { transferTimeoutMs: 5000 });

test('streams, whole and split, and timers move between 4 threads that share sockets, some of them terminated: nothing is lost, doubled or reordered', async (t) => {
  const random = Random.for(t);
  const moves = scaled(600);
  await ioThread.stats();
  const descriptors = openDescriptors();
  const chaos = new Conductor(ioThread, {
    streams: 50,
    threads: 4,
    seed: random.seed,
    stepsPerTermination: 30,
    // A termination may meet a thread that has no stream at that moment.
    goOn: ({ counters }) => counters.moves < moves || counters.killed === 0,
  });
  await chaos.run();
  t.log(JSON.stringify(chaos.tally));
  const { streams, ended, killed, unixMoves, splits, halfMoves } = chaos.counters;
  t.is(ended + killed, streams);
  t.true(ended > 0 && killed > 0);
  t.true(splits > 0 && halfMoves > 0);
  t.is(unixMoves > 0, !onWindows);
  const { calls, datagrams, timerMoves } = chaos.tally;
  for (const count of [calls, datagrams, timerMoves]) t.true((count as number) > 0);
  t.deepEqual(await remains(ioThread, descriptors), NOTHING);
});
