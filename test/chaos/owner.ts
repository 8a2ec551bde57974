/**
 * A thread that owns streams, and its part of all other kinds, for a while: checks what it receives, sends as much as there is room for, and gives a stream away
 * when it is told to, whatever state that is in. It reads and writes unevenly, so that there is always something unread and
 * something unsent.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type Event, Events, IoThread, Poll, PollOpt, type TcpStream, type UnixStream } from '../../src/index.js';
import { Random } from '../util/random.js';
import { BOTH } from '../util/streams.js';
import { DatagramPart } from './datagrams.js';
import { Handlers, type Part } from './kinds.js';
import { ListenerPart } from './listeners.js';
import { attach, type Carried, type FromOwner, type OwnerData, type ToOwner } from './messages.js';
import { TimerPart } from './timers.js';
import { CHUNK_MAX, Traffic } from './traffic.js';

interface Owned {
  readonly id: number;
  readonly stream: TcpStream | UnixStream;
  received: number;
  sent: number;
}

const { ioThread, seed } = workerData as OwnerData;
const random = new Random(seed);
const traffic = new Traffic(0);
const poll = new Poll({ ioThread: IoThread.from(ioThread) });
const owned = new Map<number, Owned>();
const into = Buffer.alloc(CHUNK_MAX);
const handlers = new Handlers();
const parts: readonly Part[] = [
  new ListenerPart(poll, handlers, traffic),
  new DatagramPart(poll, handlers, traffic, random, tell),
  new TimerPart(poll, handlers, random, tell),
];

function tell(message: FromOwner): void {
  parentPort?.postMessage(message);
}

function take(carried: Carried): void {
  const { id, received, sent } = carried;
  const stream = attach(carried);
  owned.set(id, { id, stream, received, sent });
  poll.registry.register(stream, id, BOTH, PollOpt.LEVEL);
}

function give(id: number): void {
  const one = owned.get(id);
  // Its peer has ended it meanwhile.
  if (!one) return;
  owned.delete(id);
  const { received, sent } = one;
  tell({ kind: 'given', stream: { id, name: one.stream.detach(), received, sent } });
}

/** False at the end. */
function receive(one: Owned): boolean {
  for (let turns = random.integer(0, 3); turns > 0; turns--) {
    if (random.unit() < 0.5) {
      const lease = one.stream.take();
      if (!lease) return true;
      if (lease.length === 0) return false;
      traffic.check(one.id, 'in', one.received, lease.bytes);
      one.received += lease.length;
      lease.release();
    } else {
      const count = one.stream.read(into.subarray(0, random.logUniform(1, CHUNK_MAX)));
      if (count === null) return true;
      if (count === 0) return false;
      traffic.check(one.id, 'in', one.received, into.subarray(0, count));
      one.received += count;
    }
  }
  return true;
}

function send(one: Owned): void {
  for (let turns = random.integer(0, 3); turns > 0; turns--) {
    const count = one.stream.write(traffic.at(one.id, 'out', one.sent, random.logUniform(1, CHUNK_MAX)));
    if (count === null) return;
    one.sent += count;
  }
}

function handle({ token, isReadable, isWritable }: Event): void {
  const one = owned.get(token);
  if (!one) return;
  try {
    if (isReadable && !receive(one)) {
      owned.delete(token);
      one.stream.close();
      tell({ kind: 'ended', id: token, progress: { received: one.received, sent: one.sent } });
    } else if (isWritable) {
      send(one);
    }
  } catch (error) {
    owned.delete(token);
    one.stream.abort();
    tell({ kind: 'failed', id: token, message: String((error as Error).stack) });
  }
}

parentPort?.on('message', (message: ToOwner) => {
  if (parts.some((part) => part.heard(message))) return;
  if (message.kind === 'stall') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, message.ms);
  if (message.kind !== 'take' && message.kind !== 'give') return;
  const id = message.kind === 'take' ? message.stream.id : message.id;
  try {
    if (message.kind === 'take') take(message.stream);
    else give(id);
  } catch (error) {
    tell({ kind: 'failed', id, message: String((error as Error).stack) });
  }
});

tell({ kind: 'ready' });
const events = new Events(16);
for (;;) {
  await poll.wait(events);
  for (const event of events) if (!handlers.handle(event)) handle(event);
}
