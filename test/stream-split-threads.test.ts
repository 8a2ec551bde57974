import test from 'ava';
import { type DetachedStream, Events, type SplitStream, TcpReader, TcpWriter } from '../src/index.js';
import type { HalfOwnerData } from './fixtures/half-owner.js';
import { ioThreadFor, quiet } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { slowness } from './util/platform.js';
import { BOTH, Pair, readToEnd, writeAll } from './util/streams.js';
import { PATIENCE_MS, TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
/** Both directions, each. */
const MUCH = Math.ceil((32 * 2 ** 20) / slowness);
const SEEDS = { there: 7, back: 8 };

interface Result {
  readonly at: number;
  readonly hash: string;
}

type HalfName = DetachedStream<'TcpReader'> | DetachedStream<'TcpWriter'>;

class HalfOwner extends TestThread<Result> {
  readonly progress = new BigInt64Array(new SharedArrayBuffer(8));

  constructor(name: HalfName, seed: number, { from = 0, to = MUCH, forever = false } = {}) {
    const progress = new BigInt64Array(new SharedArrayBuffer(8));
    super('half-owner', {
      ioThread: ioThread.share(),
      name,
      seed,
      from,
      to,
      forever,
      progress,
    } satisfies HalfOwnerData);
    this.progress = progress;
  }

  /** Until so many bytes went through it. */
  async reached(bytes: number): Promise<void> {
    const untilMs = performance.now() + PATIENCE_MS;
    while (Atomics.load(this.progress, 0) < bytes) {
      if (performance.now() > untilMs) throw new Error(`${Atomics.load(this.progress, 0)} of ${bytes} bytes`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** Both ends of a connection as halves, each of the four on a thread of its own. */
function flood(client: SplitStream, server: SplitStream, options: { from?: [number, number]; forever?: boolean } = {}) {
  const [there = 0, back = 0] = options.from ?? [];
  const { forever = false } = options;
  return {
    clientWriter: new HalfOwner(client.writer, SEEDS.there, { from: there, forever }),
    clientReader: new HalfOwner(client.reader, SEEDS.back, {}),
    serverWriter: new HalfOwner(server.writer, SEEDS.back, { from: back, forever }),
    serverReader: new HalfOwner(server.reader, SEEDS.there, {}),
  };
}

test('reader and writer on different threads, both directions flood: nothing is lost, doubled or reordered', async (t) => {
  using pair = new Pair(ioThread);
  const owners = flood(pair.client.split(), pair.server.split());
  const { clientWriter, clientReader, serverWriter, serverReader } = owners;
  t.deepEqual(await serverReader.finish(), await clientWriter.finish());
  t.deepEqual(await clientReader.finish(), await serverWriter.finish());
  t.is((await serverReader.value).at, MUCH);
  t.is((await quiet(ioThread)).sources, 0);
});

test('a stream is split in the midst of traffic, with data unread and writes pending either way', async (t) => {
  using pair = new Pair(ioThread);
  const events = new Events();
  const patterns = [new Pattern(SEEDS.there, 65_536), new Pattern(SEEDS.back, 65_536)] as const;
  const written = [0, 0] as [number, number];
  // Until neither stream takes more, nor the kernel, as nobody reads.
  do {
    for (const [index, stream] of [pair.client, pair.server].entries()) {
      const pattern = patterns[index as 0 | 1];
      for (let count: number | null = 1; count; ) {
        count = stream.write(pattern.at(written[index as 0 | 1], 65_536));
        written[index as 0 | 1] += count ?? 0;
      }
    }
  } while (pair.poll.poll(events, 50) > 0);
  t.true(written[0] > 0 && written[1] > 0);
  const { clientWriter, clientReader, serverWriter, serverReader } = flood(pair.client.split(), pair.server.split(), {
    from: written,
  });
  await clientWriter.finish();
  await serverWriter.finish();
  t.is((await serverReader.finish()).at, Math.max(MUCH, written[0]));
  t.is((await clientReader.finish()).at, Math.max(MUCH, written[1]));
  t.is((await quiet(ioThread)).sources, 0);
});

test('the writer is terminated in mid-flood: what it had written arrives, then the end; the reader goes on', async (t) => {
  using pair = new Pair(ioThread);
  const { clientReader, clientWriter, serverWriter, serverReader } = flood(pair.client.split(), pair.server.split(), {
    forever: true,
  });
  await clientWriter.reached(2 ** 20);
  await clientWriter.worker.terminate();
  const { at } = await serverReader.finish();
  t.true(at >= 2 ** 20, 'accepted writes are flushed');
  const before = Number(Atomics.load(clientReader.progress, 0));
  await clientReader.reached(before + 2 ** 20);
  await serverWriter.worker.terminate();
  t.true((await clientReader.finish()).at >= before + 2 ** 20);
  t.is((await quiet(ioThread)).sources, 0);
});

test('the reader is terminated in mid-flood: the writer goes on, and its end is an orderly one', async (t) => {
  using pair = new Pair(ioThread);
  const client = pair.client.split();
  const server = pair.server.split();
  const flooding = new HalfOwner(server.writer, SEEDS.back, { forever: true });
  const doomed = new HalfOwner(client.reader, SEEDS.back);
  await doomed.reached(2 ** 20);
  await doomed.worker.terminate();
  const writer = new HalfOwner(client.writer, SEEDS.there);
  const reader = new HalfOwner(server.reader, SEEDS.there);
  t.deepEqual(await reader.finish(), await writer.value);
  // The writer's thread goes on until the peer ends as well.
  await flooding.worker.terminate();
  await writer.exited;
  t.is((await quiet(ioThread)).sources, 0);
});

test('a thread that ends with a half in its name leaves the other half to its owner', async (t) => {
  using pair = new Pair(ioThread);
  const { reader, writer } = pair.server.split();
  const ended = new HalfOwner(writer, SEEDS.back, { to: 1000 });
  await ended.finish();
  using mine = TcpReader.attach(reader);
  pair.poll.registry.register(mine, 3, BOTH);
  t.is(readToEnd(pair.poll, pair.client).length, 1000);
  writeAll(pair.poll, pair.client, Buffer.from('on'));
  pair.client.close();
  t.is(readToEnd(pair.poll, mine).toString(), 'on');
});

test('one of several threads that attach a half gets it, and the halves are independent', async (t) => {
  using pair = new Pair(ioThread);
  const { reader, writer } = pair.server.split();
  const rivals = [0, 1, 2].map(() => new HalfOwner(writer, SEEDS.back, { to: 10 }));
  const outcomes = await Promise.allSettled(rivals.map((rival) => rival.finish()));
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') t.is(outcome.reason.code, 'ERR_SIDEPORT_TRANSFER_USED');
  }
  TcpReader.attach(reader).close();
  t.throws(() => TcpWriter.attach(writer), { code: 'ERR_SIDEPORT_TRANSFER_USED' });
});
