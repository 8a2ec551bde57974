/**
 * Four threads share a listener, and one of them stalls: `stall.js STALLS`, or as their worker. Each stall begins before its connections are made, one every
 * millisecond, and ends after the last has been accepted, by another thread. So the connection that waited longest is one that was dealt to the thread that is
 * stalled: it has been behind since then. Prints that one's milliseconds from `connect` to `accept`, one line each stall.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import {
  Awakener,
  type AwakenerHandle,
  Events,
  Interest,
  IoThread,
  Poll,
  type SharedAwakener,
  type SharedIoThread,
  type SharedListener,
  TcpListener,
} from '../../src/index.js';

const SHARERS = 4;
const CONNECTIONS = 40;
const PAUSE_MS = 1;
const PORTS = 65_536;
const AWAKENER = 1;

/** What a sharer is told and says, a word each. */
const Word = {
  /** 1: it stalls until this is 0 again. */
  STALL: 0,
  /** Goes up when it begins to stall, and when it ends. */
  CHANGES: 1,
  COUNT: 2,
} as const;

interface SharerData {
  readonly ioThread: SharedIoThread;
  readonly listener: SharedListener;
  readonly words: Int32Array<SharedArrayBuffer>;
  /** By the peer's port: when it was accepted, in nanoseconds. */
  readonly acceptedNs: BigInt64Array<SharedArrayBuffer>;
}

interface Sharer {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly awakener: AwakenerHandle;
}

async function startSharer(data: Omit<SharerData, 'words'>): Promise<Sharer> {
  const words = new Int32Array(new SharedArrayBuffer(4 * Word.COUNT));
  const worker = new Worker(new URL(import.meta.url), { workerData: { ...data, words } satisfies SharerData });
  const [awakener] = (await once(worker, 'message')) as [SharedAwakener];
  return { words, awakener: Awakener.from(awakener) };
}

/** Resolves when it does. */
async function setStall({ words, awakener }: Sharer, on: boolean): Promise<void> {
  // Read before STALL is stored; the sharer adds to it after it has read STALL. So a change that is seen is the answer to this store.
  const before = Atomics.load(words, Word.CHANGES);
  Atomics.store(words, Word.STALL, on ? 1 : 0);
  Atomics.notify(words, Word.STALL);
  if (on) awakener.wake();
  while (Atomics.load(words, Word.CHANGES) === before) await sleep(1);
}

/** The longest that one of the connections waited, in milliseconds. */
async function connectAll(port: number, acceptedNs: BigInt64Array<SharedArrayBuffer>): Promise<number> {
  const sockets: Socket[] = [];
  const startedNs = new Map<number, bigint>();
  for (let count = 0; count < CONNECTIONS; count++) {
    const nowNs = process.hrtime.bigint();
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket);
    socket.once('connect', () => startedNs.set(socket.localPort as number, nowNs));
    await Promise.all([once(socket, 'connect'), sleep(PAUSE_MS)]);
  }
  const waitedMs: number[] = [];
  for (const [from, since] of startedNs) {
    // One word says all: nothing else is read because of it.
    while (Atomics.load(acceptedNs, from) === 0n) await sleep(1);
    waitedMs.push(Number(Atomics.exchange(acceptedNs, from, 0n) - since) / 1e6);
  }
  for (const socket of sockets) socket.resetAndDestroy();
  return Math.max(...waitedMs);
}

async function main(stalls: number): Promise<void> {
  const ioThread = IoThread.default();
  const listener = TcpListener.bind({ host: '127.0.0.1', port: 0 });
  const acceptedNs = new BigInt64Array(new SharedArrayBuffer(8 * PORTS));
  const data = { ioThread: ioThread.share(), listener: listener.share(ioThread), acceptedNs };
  const sharers: Sharer[] = [];
  for (let count = 0; count < SHARERS; count++) sharers.push(await startSharer(data));
  const { port } = listener.localAddress();
  await connectAll(port, acceptedNs);
  for (let stall = 0; stall < stalls; stall++) {
    const sharer = sharers[stall % SHARERS] as Sharer;
    await setStall(sharer, true);
    console.log(await connectAll(port, acceptedNs));
    await setStall(sharer, false);
  }
  process.exit();
}

function share({ ioThread, listener: name, words, acceptedNs }: SharerData, say: (name: SharedAwakener) => void): void {
  const poll = new Poll({ ioThread: IoThread.from(ioThread) });
  const listener = TcpListener.from(name);
  poll.registry.register(listener, 0, Interest.READABLE);
  say(new Awakener(poll.registry, AWAKENER).share());
  const events = new Events();
  for (;;) {
    poll.poll(events);
    if (Atomics.load(words, Word.STALL) === 1) {
      Atomics.add(words, Word.CHANGES, 1);
      // `wait` compares once more, under its lock: a store and its notify in between are not missed.
      while (Atomics.load(words, Word.STALL) === 1) Atomics.wait(words, Word.STALL, 1);
      Atomics.add(words, Word.CHANGES, 1);
    }
    for (let one = listener.accept(); one; one = listener.accept()) {
      Atomics.store(acceptedNs, one.peer.port, process.hrtime.bigint());
      one.stream.close();
    }
  }
}

if (isMainThread) {
  await main(Number(process.argv[2]));
} else {
  share(workerData as SharerData, (name) => parentPort?.postMessage(name));
}
