import { createHash } from 'node:crypto';
import test from 'ava';
import { Events, Interest, Poll } from '../src/index.js';
import type { SenderData } from './fixtures/sender.js';
import { Inbound } from './util/inbound.js';
import { ioThreadFor } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { Random, scaled } from './util/random.js';
import { listen } from './util/streams.js';
import { PATIENCE_MS, TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
const CONNECTIONS = 20;
const CHUNK_MAX = 256 * 1024;
const TOTAL_BYTES = scaled(256 * 2 ** 20);

for (const how of ['read', 'take'] as const) {
  test(`256 MiB over 20 connections arrive byte for byte (${how})`, async (t) => {
    const random = Random.for(t);
    using poll = new Poll({ ioThread });
    using listener = listen();
    poll.registry.register(listener, 0, Interest.READABLE);
    const data: SenderData = {
      ioThread: ioThread.share(),
      port: listener.localAddress().port,
      connections: CONNECTIONS,
      bytesPerConnection: Math.floor(TOTAL_BYTES / CONNECTIONS),
      chunkMax: CHUNK_MAX,
      seed: random.seed,
    };
    const thread = new TestThread('sender', data);
    const inbound: Inbound[] = [];
    const events = new Events();
    let ended = 0;
    while (ended < CONNECTIONS) {
      if ((await poll.wait(events, PATIENCE_MS)) === 0) {
        await thread.value;
        return t.fail(`nothing came for a while; ${ended} connections have ended`);
      }
      for (const { token } of events) {
        if (token === 0) {
          for (let accepted = listener.accept(); accepted; accepted = listener.accept()) {
            inbound.push(new Inbound(accepted.stream, random.seed, CHUNK_MAX));
            poll.registry.register(accepted.stream, inbound.length, Interest.READABLE);
          }
        } else if (inbound[token - 1]?.receive(how)) {
          ended++;
        }
      }
    }
    for (const { position } of inbound) t.is(position, data.bytesPerConnection);
    t.is(inbound.length, CONNECTIONS);
    await thread.finish();
  });
}

test('the same seed makes the same run', (t) => {
  const digest = (seed: number) => {
    const random = new Random(seed);
    const sizes = Array.from({ length: 1000 }, () => random.logUniform(1, CHUNK_MAX));
    return createHash('sha256').update(sizes.join()).update(new Pattern(seed, 8).at(0, 1000)).digest('hex');
  };
  t.is(digest(7), digest(7));
  t.not(digest(7), digest(8));
});
