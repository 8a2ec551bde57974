import { createHash } from 'node:crypto';
import test from 'ava';
import { Events, Interest, Poll, type TcpStream } from '../src/index.js';
import type { SenderData } from './fixtures/sender.js';
import { ioThreadFor } from './util/io-thread.js';
import { Pattern, PREFIX_BYTES } from './util/pattern.js';
import { Random, scaled } from './util/random.js';
import { listen } from './util/streams.js';
import { PATIENCE_MS, TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
const CONNECTIONS = 20;
const CHUNK_MAX = 256 * 1024;
const TOTAL_BYTES = scaled(256 * 2 ** 20);

/** One connection as its receiver sees it. */
interface Inbound {
  readonly stream: TcpStream;
  readonly prefix: Buffer;
  prefixRead: number;
  position: number;
  pattern: Pattern | undefined;
}

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
    const into = Buffer.alloc(CHUNK_MAX);
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
            const { stream } = accepted;
            inbound.push({
              stream,
              prefix: Buffer.alloc(PREFIX_BYTES),
              prefixRead: 0,
              position: 0,
              pattern: undefined,
            });
            poll.registry.register(stream, inbound.length, Interest.READABLE);
          }
        } else {
          ended += receive(inbound[token - 1] as Inbound);
        }
      }
    }
    for (const { position } of inbound) t.is(position, data.bytesPerConnection);
    t.is(inbound.length, CONNECTIONS);
    await thread.finish();

    /** Everything that is there; 1 when the stream has ended. */
    function receive(one: Inbound): number {
      while (one.prefixRead < PREFIX_BYTES) {
        const count = one.stream.read(one.prefix.subarray(one.prefixRead));
        if (count === null) return 0;
        one.prefixRead += count;
      }
      one.pattern ??= new Pattern(random.seed + one.prefix.readUInt32LE(), CHUNK_MAX);
      for (;;) {
        using lease = how === 'take' ? one.stream.take() : null;
        const count = how === 'take' ? (lease?.length ?? null) : one.stream.read(into);
        if (count === null) return 0;
        if (count === 0) {
          one.stream.close();
          return 1;
        }
        const bytes = lease ? lease.bytes : into.subarray(0, count);
        if (!one.pattern.matches(one.position, bytes)) throw new Error(`a wrong byte after ${one.position}`);
        one.position += count;
      }
    }
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
