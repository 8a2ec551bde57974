import test from 'ava';
import type { FuzzerData } from './fixtures/fuzzer.js';
import { ioThreadFor } from './util/io-thread.js';
import { Random, scaled } from './util/random.js';
import { Pair, readExactly, writeAll } from './util/streams.js';
import { TestThread } from './util/thread.js';

/** What noise has detached or split is soon closed. */
const ioThread = ioThreadFor(test, { transferTimeoutMs: 200 });

for (const how of ['wild', 'plausible'] as const) {
  test(`clients that write noise into their submission rings are detached; checked traffic goes on (${how})`, async (t) => {
    const random = Random.for(t);
    using pair = new Pair(ioThread);
    const rounds = scaled(20);
    const detachedBefore = (await ioThread.stats()).clientsDetached;
    for (let round = 0; round < rounds; round++) {
      const data: FuzzerData = { ioThread: ioThread.share(), seed: random.uint32(), how };
      const fuzzer = new TestThread<string>('fuzzer', data);
      let ended = false;
      const end = fuzzer.finish().finally(() => {
        ended = true;
      });
      do {
        const bytes = random.bytes(random.logUniform(1, 300_000));
        writeAll(pair.poll, pair.client, bytes);
        if (!readExactly(pair.poll, pair.server, bytes.length).equals(bytes)) return t.fail('a wrong byte');
        await new Promise((resolve) => setImmediate(resolve));
      } while (!ended);
      t.is(await end, 'ERR_SIDEPORT_DETACHED', `seed of the round: ${data.seed}`);
    }
    const stats = await ioThread.stats();
    t.is(stats.clientsDetached - detachedBefore, rounds);
    t.is(stats.clients, 1, 'what they had is reclaimed');
  });
}
