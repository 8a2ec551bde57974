import test from 'ava';
import { Events, Interest, IoThread, type IoThreadOptions, Poll, type TcpStream } from '../src/index.js';
import type { EchoClientData } from './fixtures/echo-client.js';
import { runChild } from './util/child.js';
import { type CorrupterData, corruptions } from './util/corruptions.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows } from './util/platform.js';
import { Random, scaled } from './util/random.js';
import { listen, Pair } from './util/streams.js';
import { PATIENCE_MS, TestThread } from './util/thread.js';
import { threadCount } from './util/threads.js';

const ioThread = ioThreadFor(test);

test('options are checked at the call', (t) => {
  const bad: IoThreadOptions[] = [
    { maxSources: 0 },
    { maxSources: 2 ** 20 + 1 },
    { acceptAhead: 0.5 },
    { lingerMs: -1 },
    { receiveBufferSize: 63 },
    { receiveBuffers: Number.NaN },
    { sendBuffers: 0 },
    { sendBufferSize: '4096' as unknown as number },
    { sendHighWaterBytes: 0 },
    { sendHighWaterBytes: 10, sendLowWaterBytes: 10 },
    { receiveBuffers: 8, maxReceiveBuffers: 7 },
    { maxUnreadBytes: -1 },
    { spinUs: -1 },
  ];
  for (const options of bad) t.throws(() => IoThread.start(options), { code: 'ERR_SIDEPORT_INVALID_ARG' });
});

test('a backend that this system does not have is refused, and nothing is left running', (t) => {
  const backend = onWindows ? 'epoll' : 'iocp';
  const before = threadCount();
  const error = t.throws(() => IoThread.start({ backend }), { code: 'ERR_SIDEPORT_BACKEND' });
  t.true(error?.message.includes(`'${backend}'`));
  // The failed worker ends by itself right after it has answered.
  const untilMs = performance.now() + PATIENCE_MS;
  while (threadCount() > before) if (performance.now() > untilMs) return t.fail('the worker goes on');
});

test('stats tell what it does', async (t) => {
  const before = await ioThread.stats();
  using pair = new Pair(ioThread);
  pair.client.write(Buffer.from('counted'));
  expectEvents(pair.poll, { token: 2, readable: true });
  const stats = await ioThread.stats();
  t.is(stats.backend, ioThread.backend);
  t.is(stats.clients, 1);
  t.is(stats.bytesSent - before.bytesSent, 7);
  t.is(stats.bytesReceived - before.bytesReceived, 7);
  t.is(stats.receiveBuffersHeld, 1);
  t.true(stats.turns > before.turns);
  t.true(stats.operationsStarted > stats.operationsReleased, 'the receives are in flight');
});

test('a shared name attaches another thread; garbage does not', (t) => {
  const again = IoThread.from(structuredClone(ioThread.share()));
  t.is(again.backend, ioThread.backend);
  t.true(again.isAlive);
  for (const name of [undefined, null, {}, 1, { sideport: 'io-thread' }, { sideport: 'io-thread', portId: '1' }]) {
    t.throws(() => IoThread.from(name as unknown as ReturnType<IoThread['share']>), {
      code: 'ERR_SIDEPORT_INVALID_ARG',
    });
  }
});

test('closing tells every user, and a name of it attaches nobody any more', async (t) => {
  const short = IoThread.start();
  const pair = new Pair(short);
  const waiting = new Poll({ ioThread: short });
  const wait = waiting.wait(new Events());
  const gone = { code: 'ERR_SIDEPORT_IO_THREAD_GONE' };
  const refused = t.throwsAsync(wait, gone);
  await short.close();
  await refused;
  t.false(short.isAlive);
  await short.close();
  t.throws(() => pair.poll.poll(new Events()), gone);
  t.throws(() => pair.client.write(Buffer.from('x')), gone);
  t.throws(() => pair.client.read(Buffer.alloc(1)), gone);
  t.throws(() => pair.server.take(), gone);
  t.throws(() => new Poll({ ioThread: short }), gone);
  await t.throwsAsync(short.stats(), gone);
  using listener = listen();
  t.throws(() => pair.poll.registry.register(listener, 0, Interest.READABLE), gone);
  t.throws(() => new Poll({ ioThread: IoThread.from(short.share()) }), gone);
  pair[Symbol.dispose]();
});

test('several threads use one I/O thread at once, each for its own traffic: 64 connections lose and reorder nothing', async (t) => {
  const [threads, connections, messages] = [4, 16, scaled(200, 100)];
  const random = Random.for(t);
  using poll = new Poll({ ioThread });
  using listener = listen();
  poll.registry.register(listener, 0, Interest.READABLE);
  const clients = Array.from({ length: threads }, (_, at) => {
    const data: EchoClientData = {
      ioThread: ioThread.share(),
      port: listener.localAddress().port,
      connections,
      messages,
      seed: random.seed + at,
    };
    return new TestThread<number>('echo-client', data);
  });
  // This thread echoes, and blocks in between.
  const streams = new Map<number, TcpStream>();
  const events = new Events();
  const into = Buffer.alloc(65_536);
  let ended = 0;
  while (ended < threads * connections) {
    if (poll.poll(events, PATIENCE_MS) === 0) {
      for (const client of clients) await client.value;
      return t.fail('nothing came');
    }
    for (const { token } of events) {
      if (token !== 0) {
        echo(token, streams.get(token) as TcpStream);
        continue;
      }
      for (let accepted = listener.accept(); accepted; accepted = listener.accept()) {
        streams.set(streams.size + 1, accepted.stream);
        poll.registry.register(accepted.stream, streams.size, Interest.READABLE);
      }
    }
  }
  const echoed = await Promise.all(clients.map((client) => client.finish()));
  t.deepEqual(echoed, new Array(threads).fill(connections * messages));

  function echo(token: number, stream: TcpStream): void {
    for (let count = stream.read(into); count !== null; count = stream.read(into)) {
      if (count === 0) {
        stream.close();
        streams.delete(-token);
        ended++;
        return;
      }
      // One message is in flight per connection and messages are small: there is always room.
      if (stream.write(into.subarray(0, count)) !== count) throw new Error('no room for an echo');
    }
  }
});

for (const how of Object.keys(corruptions) as (keyof typeof corruptions)[]) {
  test(`a client thread that submits ${how} is detached and told; the others' traffic goes on`, async (t) => {
    using pair = new Pair(ioThread);
    const detachedBefore = (await ioThread.stats()).clientsDetached;
    const data: CorrupterData = { ioThread: ioThread.share(), how };
    t.is(await new TestThread<string>('corrupter', data).finish(), 'ERR_SIDEPORT_DETACHED');
    const stats = await ioThread.stats();
    t.is(stats.clientsDetached - detachedBefore, 1);
    t.is(stats.clients, 1, 'what it had is reclaimed');
    pair.client.write(Buffer.from('undisturbed'));
    expectEvents(pair.poll, { token: 2, readable: true });
  });
}

// In processes of their own: the default I/O thread is the whole process's, which other test files may share.
test('the default I/O thread is one for all handles and Polls of a thread; closed, it is followed by a new one', async (t) => {
  const { status, stdout, stderr, hung } = await runChild('default-io-thread');
  t.false(hung);
  t.is(status, 0, stderr);
  t.deepEqual(JSON.parse(stdout), {
    handlesAgree: true,
    pollsShareSources: true,
    aliveAfterClose: false,
    newAlive: true,
    newIsNew: true,
  });
});

test('a program that blocks its main thread for ever and has signal handlers is warned, once', async (t) => {
  const { status, stderr, hung } = await runChild('blocking-with-handlers');
  t.false(hung);
  t.is(status, 0, stderr);
  t.is(stderr.match(/SideportWarning: poll\(\) without a time-out blocks the main thread/g)?.length, 1);
});

test('a forgotten source is reclaimed with a warning when its thread yields', async (t) => {
  const { status, stdout, stderr, hung } = await runChild('forgetful', [], {}, ['--expose-gc']);
  t.false(hung);
  t.is(status, 0, stderr);
  t.is(stdout.trim(), 'reclaimed');
  t.regex(stderr, /SideportWarning: TcpListener was collected without having been closed/);
  t.regex(stderr, /SideportWarning: TcpStream was collected without having been closed/);
});
