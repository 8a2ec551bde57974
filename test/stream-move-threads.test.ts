import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import test from 'ava';
import { type DetachedStream, Events, type IoThread, Poll, TcpStream } from '../src/index.js';
import type { ClaimantData } from './fixtures/claimant.js';
import type { DetacherData } from './fixtures/detacher.js';
import { ioThreadFor } from './util/io-thread.js';
import { BOTH, Pair, readExactly, readToEnd, writeAll } from './util/streams.js';
import { Barrier, PATIENCE_MS, TestThread } from './util/thread.js';

const ioThread = ioThreadFor(test);
/** Closes soon what nobody attaches. */
const hasty = ioThreadFor(test, { transferTimeoutMs: 300 });
/** More than the kernel takes from one side to the other. */
const MUCH = 8 * 2 ** 20;

/** A server of Node's that greets whoever connects. */
async function greeter(): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.on('connection', (socket) => socket.write('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function detachIn(on: IoThread, server: Server, data: Omit<DetacherData, 'ioThread' | 'port'>) {
  const { port } = server.address() as { port: number };
  const connected = once(server, 'connection');
  const thread = new TestThread('detacher', { ...data, ioThread: on.share(), port } satisfies DetacherData);
  const [socket] = (await connected) as [Socket];
  const { name, written } = await thread.message<{ name: DetachedStream; written: number }>();
  return { thread, socket, name, written };
}

/** How many bytes come before the end of the connection. */
async function bytesUntilEnd(socket: Socket): Promise<number> {
  let count = 0;
  socket.on('data', ({ length }: Buffer) => {
    count += length;
  });
  socket.resume();
  await once(socket, 'end');
  socket.destroy();
  return count;
}

test('a stream outlives the thread that detached it: unread data, pending writes and all', async (t) => {
  const server = await greeter();
  const { thread, socket, name, written } = await detachIn(ioThread, server, { write: MUCH, ending: 'tell' });
  await thread.finish();
  t.true(written > 0);
  const poll = new Poll({ ioThread });
  const stream = TcpStream.attach(name);
  poll.registry.register(stream, 1, BOTH);
  t.is(readExactly(poll, stream, 5).toString(), 'hello');
  const bytes = bytesUntilEnd(socket);
  // Full, until enough of what the ended thread wrote has been sent.
  const events = new Events();
  let more = stream.write(Buffer.alloc(1000)) ?? 0;
  for (; more === 0; more = stream.write(Buffer.alloc(1000)) ?? 0) await poll.wait(events, PATIENCE_MS);
  stream.close();
  t.is(await bytes, written + more);
  poll.close();
  server.close();
});

test('a stream is attached while its last owner is blocked, and may be terminated then', async (t) => {
  const server = await greeter();
  const { thread, socket, name } = await detachIn(ioThread, server, { write: 10, ending: 'hang' });
  const poll = new Poll({ ioThread });
  const stream = TcpStream.attach(name);
  poll.registry.register(stream, 1, BOTH);
  t.is(readExactly(poll, stream, 5).toString(), 'hello');
  socket.write('again');
  t.is(readExactly(poll, stream, 5).toString(), 'again');
  await thread.worker.terminate();
  socket.write('later');
  t.is(readExactly(poll, stream, 5).toString(), 'later');
  writeAll(poll, stream, Buffer.from('bye'));
  stream.close();
  t.is(await bytesUntilEnd(socket), 13);
  poll.close();
  server.close();
});

test('a stream whose name is lost is closed when its time is over; what was written is sent', async (t) => {
  const server = await greeter();
  const { thread, socket, written } = await detachIn(hasty, server, { write: MUCH, ending: 'lose' });
  await thread.finish();
  t.is(await bytesUntilEnd(socket), written);
  server.close();
});

test('a stream between two threads is counted', async (t) => {
  using pair = new Pair(ioThread);
  const name = pair.server.detach();
  // Control messages overtake submissions: asked until it is so.
  while ((await ioThread.stats()).streamsInTransfer !== 1);
  TcpStream.attach(name).abort();
  while ((await ioThread.stats()).streamsInTransfer !== 0);
  t.pass();
});

test('after the time-out a name is expired, also the second time; the detaching thread may live on', (t) => {
  using pair = new Pair(hasty);
  const name = pair.server.detach();
  t.is(readToEnd(pair.poll, pair.client).length, 0);
  for (const copy of [name, structuredClone(name)]) {
    t.throws(() => TcpStream.attach(copy), { code: 'ERR_SIDEPORT_TRANSFER_EXPIRED' });
  }
});

/** So many threads that run already when they are told the name. */
async function compete(how: ClaimantData['how'], threads: number, name: () => DetachedStream): Promise<string[]> {
  const ready = new Barrier();
  const data: ClaimantData = { how, ready: ready.words, threads };
  const all = Array.from({ length: threads }, () => new TestThread<string>('claimant', data));
  await ready.reached(threads);
  const told = name();
  for (const { worker } of all) worker.postMessage(told);
  return Promise.all(all.map((thread) => thread.finish()));
}

test('of several threads that attach at once one has the stream', async (t) => {
  for (let round = 0; round < 5; round++) {
    using pair = new Pair(ioThread);
    const outcomes = await compete('attach', 3, () => pair.server.detach());
    t.deepEqual(outcomes.sort(), ['ERR_SIDEPORT_TRANSFER_USED', 'ERR_SIDEPORT_TRANSFER_USED', 'attached']);
    t.is(readToEnd(pair.poll, pair.client).length, 0);
  }
});

test('a thread that ends between claiming a stream and attaching it takes the stream with it', async (t) => {
  using pair = new Pair(hasty);
  let name: DetachedStream | undefined;
  const outcomes = await compete('claim', 1, () => {
    name = pair.server.detach();
    return name;
  });
  t.deepEqual(outcomes, ['claimed']);
  t.is(readToEnd(pair.poll, pair.client).length, 0);
  t.throws(() => TcpStream.attach(name as DetachedStream), { code: 'ERR_SIDEPORT_TRANSFER_USED' });
});
