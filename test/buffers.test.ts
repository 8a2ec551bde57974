import test, { type ExecutionContext } from 'ava';
import { Events, Interest, IoThread, type IoThreadOptions, Poll, PollOpt, type TcpStream } from '../src/index.js';
import type { SenderData } from './fixtures/sender.js';
import type { StalledData } from './fixtures/stalled.js';
import { expectEvents } from './util/expect-events.js';
import { Inbound } from './util/inbound.js';
import { Random, scaled } from './util/random.js';
import { listen, Pair, readExactly, writeAll } from './util/streams.js';
import { Barrier, PATIENCE_MS, TestThread } from './util/thread.js';

/** An I/O thread of the test's own, with the backend checked and nothing left at the end. */
async function withIoThread(t: ExecutionContext, options: IoThreadOptions, body: (ioThread: IoThread) => unknown) {
  const ioThread = IoThread.start(options);
  try {
    if (process.env.SIDEPORT_BACKEND) t.is(ioThread.backend, process.env.SIDEPORT_BACKEND);
    await body(ioThread);
    let stats = await ioThread.stats();
    while (stats.sources > 0) stats = await ioThread.stats();
    t.is(stats.operationsStarted - stats.operationsReleased, 0);
    t.is(stats.receiveBuffersHeld, 0);
    t.is(stats.streamsStarved, 0);
    t.is(stats.streamsAtQuota, 0);
    t.is(stats.clientsDetached, 0);
  } finally {
    await ioThread.close();
  }
}

for (const how of ['read', 'take'] as const) {
  test(`ten flooded streams that nobody reads do not stall ten others, with four buffers (${how})`, (t) =>
    withIoThread(t, { receiveBuffers: 4, maxReceiveBuffers: 4 }, async (ioThread) => {
      const random = Random.for(t);
      const data: Omit<SenderData, 'port'> = {
        ioThread: ioThread.share(),
        connections: 20,
        bytesPerConnection: scaled(16 * 2 ** 20),
        chunkMax: 256 * 1024,
        seed: random.seed,
      };
      using poll = new Poll({ ioThread });
      using listener = listen();
      poll.registry.register(listener, 0, Interest.READABLE);
      // The senders are a client of their own, with send buffers of their own.
      const thread = new TestThread('sender', { ...data, port: listener.localAddress().port });
      const inbound: Inbound[] = [];
      const events = new Events();
      const isFlooded = (one: Inbound) => one.connection !== undefined && one.connection < 10;
      let ended = 0;

      async function receive(wanted: (one: Inbound) => boolean, untilEnded: number) {
        while (ended < untilEnded) {
          if ((await poll.wait(events, PATIENCE_MS)) === 0) {
            const stats = JSON.stringify(await ioThread.stats());
            throw new Error(`nothing came; ${ended} connections have ended; ${stats}`);
          }
          for (const { token } of events) {
            if (token === 0) {
              for (let accepted = listener.accept(); accepted; accepted = listener.accept()) {
                inbound.push(new Inbound(accepted.stream, random.seed, data.chunkMax));
                poll.registry.register(accepted.stream, inbound.length, Interest.READABLE);
              }
              continue;
            }
            const one = inbound[token - 1] as Inbound;
            if (one.connection === undefined && !one.readPrefix()) continue;
            if (wanted(one) && one.receive(how)) ended++;
          }
        }
      }

      await receive((one) => !isFlooded(one), 10);
      t.is(inbound.filter((one) => !isFlooded(one)).length, 10);
      for (const one of inbound) if (!isFlooded(one)) t.is(one.position, data.bytesPerConnection);
      t.true((await ioThread.stats()).streamsAtQuota > 0, 'the flooded hold what they may');
      // Now the others: what they hold was told before, so they are read once unasked.
      for (const one of inbound) if (isFlooded(one) && one.receive(how)) ended++;
      await receive(isFlooded, 20);
      for (const one of inbound) t.is(one.position, data.bytesPerConnection);
      await thread.finish();
    }));
}

test('a thread that stalls with flooded streams delays no other thread', (t) =>
  withIoThread(t, {}, async (ioThread) => {
    const random = Random.for(t);
    const [stalledNow, mayGoOn] = [new Barrier(), new Barrier()];
    const data: StalledData = {
      ioThread: ioThread.share(),
      connections: 8,
      bytesPerConnection: scaled(8 * 2 ** 20),
      seed: random.seed,
      stalled: stalledNow.words,
      goOn: mayGoOn.words,
    };
    const stalled = new TestThread<number>('stalled', data);
    await stalledNow.reached(1);
    // It blocks in Atomics.wait now, with data of all its connections unread; our traffic goes round regardless.
    using pair = new Pair(ioThread);
    const bytes = random.bytes(256 * 1024);
    for (let round = 0; round < scaled(100); round++) {
      writeAll(pair.poll, pair.client, bytes);
      t.true(readExactly(pair.poll, pair.server, bytes.length).equals(bytes));
    }
    t.is(stalledNow.count, 1, 'it is still stalled');
    mayGoOn.arrive();
    t.is(await stalled.finish(), data.connections * data.bytesPerConnection);
  }));

test('the pool grows when it is used up, and gives memory back when it is not', (t) =>
  withIoThread(t, { receiveBuffers: 8, maxReceiveBuffers: 64, receiveBufferSize: 4096 }, async (ioThread) => {
    const pairs = Array.from({ length: 40 }, () => new Pair(ioThread));
    const message = Buffer.alloc(100, 'unread');
    for (const { client } of pairs) client.write(message);
    for (const { poll } of pairs) expectEvents(poll, { token: 2, readable: true });
    const grown = await ioThread.stats();
    t.true(grown.receiveBuffers > 8 && grown.receiveBuffers <= 64, `${grown.receiveBuffers} buffers`);
    t.is(grown.receiveBufferBytes, grown.receiveBuffers * 4096);
    t.true(grown.segmentsGrown > 0);
    for (const { poll, server } of pairs) t.true(readExactly(poll, server, message.length).equals(message));
    let stats = await ioThread.stats();
    while (stats.receiveBuffers > 8) stats = await ioThread.stats();
    t.is(stats.segmentsReturned, grown.segmentsGrown);
    // And again: what was given back serves anew, with all bytes as they were sent.
    for (const { client } of pairs) client.write(message);
    for (const { poll, server } of pairs) t.true(readExactly(poll, server, message.length).equals(message));
    for (const pair of pairs) pair[Symbol.dispose]();
  }));

test('unread data is copied out of the buffers up to maxUnreadBytes; beyond it the kernel holds it, and stats say so', (t) =>
  withIoThread(
    t,
    { receiveBuffers: 2, maxReceiveBuffers: 2, receiveBufferSize: 65_536, maxUnreadBytes: 65_536 * 3 },
    async (ioThread) => {
      const pairs = Array.from({ length: 12 }, () => new Pair(ioThread));
      const message = Buffer.alloc(40_000, 'a message ');
      // Every stream has its message in the kernel or here; two buffers and three blocks take five of them.
      for (const { client, poll } of pairs) writeAll(poll, client, message);
      const events = new Events();
      let stats = await ioThread.stats();
      while (stats.copiedBytes < 65_536 * 3 || stats.streamsStarved !== 7) {
        for (const { poll } of pairs) poll.poll(events, 0);
        stats = await ioThread.stats();
      }
      t.is(stats.copiedBytes, 65_536 * 3);
      t.is(stats.receiveBuffersHeld, 2);
      t.is(stats.streamsAtQuota, 5);
      // Reading whatever is there, by copy or by lease, sets all the others going.
      const got = pairs.map(() => 0);
      while (got.some((count) => count < message.length)) {
        for (const [at, { poll, server }] of pairs.entries()) {
          poll.poll(events, 1);
          got[at] = (got[at] as number) + readSome(server, at % 2 === 0, message.subarray(got[at]));
        }
      }
      t.is((await ioThread.stats()).copiedBytes % 65_536, 0);
      for (const pair of pairs) pair[Symbol.dispose]();
    },
  ));

/** Reads what is there, which must be the beginning of `expected`; returns how many bytes. */
function readSome(stream: TcpStream, byLease: boolean, expected: Buffer): number {
  using lease = byLease ? stream.take() : null;
  const into = Buffer.alloc(65_536);
  const bytes = byLease ? (lease?.bytes ?? Buffer.alloc(0)) : into.subarray(0, stream.read(into) ?? 0);
  if (!expected.subarray(0, bytes.length).equals(bytes)) throw new Error('a wrong byte');
  return bytes.length;
}

test('a lease on copied-out data is as good as one on a buffer', (t) =>
  withIoThread(t, { receiveBuffers: 1, maxReceiveBuffers: 1 }, async (ioThread) => {
    const pairs = [new Pair(ioThread), new Pair(ioThread)] as const;
    pairs[0].client.write(Buffer.from('first'));
    pairs[1].client.write(Buffer.from('second'));
    const events = new Events();
    let stats = await ioThread.stats();
    // One buffer: the second stream gets its data only when the first's was copied out.
    for (const { poll } of pairs) expectEvents(poll, { token: 2, readable: true });
    while (stats.copiedBytes === 0) {
      for (const { poll } of pairs) poll.poll(events, 0);
      stats = await ioThread.stats();
    }
    const leases = pairs.map(({ server }) => server.take());
    t.deepEqual(
      leases.map((lease) => Buffer.from(lease?.copy() ?? []).toString()),
      ['first', 'second'],
    );
    for (const lease of leases) {
      t.true(lease?.bytes.buffer instanceof SharedArrayBuffer);
      lease?.release();
      t.throws(() => lease?.bytes, { code: 'ERR_SIDEPORT_LEASE_RELEASED' });
    }
    for (const pair of pairs) pair[Symbol.dispose]();
  }));

test('a stream stops at its quota of leases, and goes on when some are released', (t) =>
  withIoThread(t, { receiveBuffers: 16, maxReceiveBuffers: 16, receiveBufferSize: 1024 }, async (ioThread) => {
    const pair = new Pair(ioThread);
    writeAll(pair.poll, pair.client, Buffer.alloc(100_000, 'x'));
    const leases = [];
    const events = new Events();
    let stats = await ioThread.stats();
    while (stats.streamsAtQuota === 0) {
      const lease = pair.server.take();
      if (lease) leases.push(lease);
      else pair.poll.poll(events, 0);
      stats = await ioThread.stats();
    }
    for (let lease = pair.server.take(); lease; lease = pair.server.take()) leases.push(lease);
    // A quarter of sixteen, and what the kernel had filled before it was told to stop.
    t.is(leases.length, 4 + stats.quotaOvershoot);
    let count = leases.reduce((sum, { length }) => sum + length, 0);
    for (const lease of leases) lease.release();
    count += readExactly(pair.poll, pair.server, 100_000 - count).length;
    t.is(count, 100_000);
    pair[Symbol.dispose]();
  }));

test('small writes in great number arrive in order, however they are put into buffers', (t) =>
  withIoThread(t, { sendBuffers: 4, sendBufferSize: 4096 }, async (ioThread) => {
    const random = Random.for(t);
    const pair = new Pair(ioThread);
    const sent = random.bytes(scaled(500_000));
    const received = Buffer.alloc(sent.length);
    const events = new Events();
    for (let [written, read] = [0, 0]; read < sent.length; ) {
      // Bursts of tiny writes, then a look at what has come; both block only when neither makes progress.
      let progress = false;
      for (let burst = random.integer(1, 200); burst > 0 && written < sent.length; burst--) {
        const count = pair.client.write(sent.subarray(written, written + random.logUniform(1, 300)));
        if (count === null) break;
        written += count;
        progress = true;
      }
      for (
        let count = pair.server.read(received.subarray(read));
        count;
        count = pair.server.read(received.subarray(read))
      ) {
        read += count;
        progress = true;
      }
      if (!progress && pair.poll.poll(events, PATIENCE_MS) === 0) return t.fail(`${written} written, ${read} read`);
    }
    t.true(received.equals(sent));
    pair[Symbol.dispose]();
  }));

test('a stream that reached its high-water mark is writable at its low-water mark, not before', (t) =>
  withIoThread(
    t,
    { sendHighWaterBytes: 64 * 1024, sendLowWaterBytes: 16 * 1024, sendBufferSize: 4096 },
    async (ioThread) => {
      using reader = new Poll({ ioThread });
      const pair = new Pair(ioThread, PollOpt.LEVEL);
      pair.poll.registry.deregister(pair.server);
      reader.registry.register(pair.server, 9, Interest.WRITABLE);
      pair.poll.registry.reregister(pair.client, 1, Interest.WRITABLE, PollOpt.LEVEL);
      const events = new Events();
      let written = 0;
      // Until it is refused and, full, tells nothing for a while, although its level is asked for.
      for (let count: number | null = 0; count !== null || pair.poll.poll(events, 50) > 0; ) {
        count = pair.client.write(Buffer.alloc(10_000, 'w'));
        written += count ?? 0;
      }
      // Read until it is writable again: by then at least high minus low water have left its buffers.
      reader.registry.reregister(pair.server, 9, Interest.READABLE);
      let read = 0;
      const into = Buffer.alloc(65_536);
      while (pair.poll.poll(events, 0) === 0) {
        const count = pair.server.read(into);
        if (count !== null) read += count;
        else reader.poll(events, 1);
      }
      t.is(pair.client.write(Buffer.alloc(48 * 1024)), 48 * 1024, 'the difference of the marks is taken at once');
      readExactly(reader, pair.server, written - read + 48 * 1024);
      pair[Symbol.dispose]();
    },
  ));

test('ten thousand connections with a hundred unread bytes each leave all other traffic flowing', (t) =>
  withIoThread(t, { maxSources: 32_768 }, async (ioThread) => {
    const count = scaled(10_000);
    using poll = new Poll({ ioThread });
    using listener = listen();
    poll.registry.register(listener, 0, Interest.READABLE);
    const crowd = new TestThread('crowd', { port: listener.localAddress().port, count });
    const streams: TcpStream[] = [];
    const readable = new Set<number>();
    const events = new Events();
    while (readable.size < count) {
      if ((await poll.wait(events, PATIENCE_MS)) === 0)
        throw new Error(`${streams.length} came, ${readable.size} sent`);
      for (const { token } of events) {
        if (token !== 0) {
          readable.add(token);
          continue;
        }
        for (let accepted = listener.accept(); accepted; accepted = listener.accept()) {
          streams.push(accepted.stream);
          poll.registry.register(accepted.stream, streams.length, Interest.READABLE);
        }
      }
    }
    const stats = await ioThread.stats();
    const megabytes = (stats.receiveBufferBytes + stats.copiedBytes) / 2 ** 20;
    t.log(`${megabytes} MiB of buffers`);
    t.true(megabytes < 64);
    const pair = new Pair(ioThread);
    const bytes = Buffer.alloc(2 ** 20, 'other traffic ');
    for (let round = 0; round < 8; round++) {
      writeAll(pair.poll, pair.client, bytes);
      t.true(readExactly(pair.poll, pair.server, bytes.length).equals(bytes));
    }
    pair[Symbol.dispose]();
    const into = Buffer.alloc(200);
    for (const stream of streams) {
      t.is(stream.read(into), 100);
      stream.abort();
    }
    await crowd.finish();
  }));
