/**
 * A thread that owns streams, halves of them, and has its role in all other kinds, for a while: checks what it receives, sends as much as there is room for, and gives a stream away, or splits it,
 * when it is told to, whatever state that is in. It reads and writes unevenly, so that there is always something unread and
 * something unsent.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type Event, Events, IoThread, Poll, PollOpt } from '../../src/index.js';
import { Random } from '../util/random.js';
import { BOTH } from '../util/streams.js';
import { DatagramRole } from './datagrams.js';
import { Handlers, type Role } from './kinds.js';
import { ListenerRole } from './listeners.js';
import {
  attach,
  type Carried,
  type FromOwner,
  type OwnerData,
  type Part,
  partOf,
  type Reader,
  type ToOwner,
  type Whole,
  type Writer,
} from './messages.js';
import { TimerRole } from './timers.js';
import { CHUNK_MAX, Traffic } from './traffic.js';

interface Owned {
  readonly id: number;
  readonly part: Part;
  readonly stream: Whole | Reader | Writer;
  received: number;
  sent: number;
}

const { ioThread, seed } = workerData as OwnerData;
const random = new Random(seed);
const traffic = new Traffic(0);
const poll = new Poll({ ioThread: IoThread.from(ioThread) });
/** By token. */
const owned = new Map<number, Owned>();
const into = Buffer.alloc(CHUNK_MAX);
const handlers = new Handlers();
const roles: readonly Role[] = [
  new ListenerRole(poll, handlers, traffic),
  new DatagramRole(poll, handlers, traffic, random, tell),
  new TimerRole(poll, handlers, random, tell),
];

/** One thread may have both halves. */
function tokenOf(id: number, part: Part): number {
  return 2 * id + (part === 'writer' ? 1 : 0);
}

function tell(message: FromOwner): void {
  parentPort?.postMessage(message);
}

function take(carried: Carried): void {
  const { id, received, sent } = carried;
  const stream = attach(carried);
  const part = partOf(carried);
  owned.set(tokenOf(id, part), { id, part, stream, received, sent });
  poll.registry.register(stream, tokenOf(id, part), BOTH, PollOpt.LEVEL);
}

/** Undefined: its peer has ended it meanwhile. */
function remove(id: number, part: Part): Owned | undefined {
  const one = owned.get(tokenOf(id, part));
  owned.delete(tokenOf(id, part));
  return one;
}

function give(id: number, part: Part): void {
  const one = remove(id, part);
  if (!one) return;
  const { received, sent } = one;
  tell({ kind: 'given', stream: { id, name: one.stream.detach() as Carried['name'], received, sent } });
}

function split(id: number): void {
  const one = remove(id, 'whole');
  if (!one) return;
  const { received, sent } = one;
  const { reader, writer } = (one.stream as Whole).split();
  tell({
    kind: 'split',
    reader: { id, name: reader, received, sent: 0 },
    writer: { id, name: writer, received: 0, sent },
  });
}

function end(one: Owned | undefined): void {
  if (!one) return;
  const { id, part, stream, received, sent } = one;
  remove(id, part);
  stream.close();
  tell({ kind: 'ended', id, part, progress: { received, sent } });
}

/** False at the end. */
function receive(one: Owned): boolean {
  const stream = one.stream as Whole | Reader;
  for (let turns = random.integer(0, 3); turns > 0; turns--) {
    if (random.unit() < 0.5) {
      const lease = stream.take();
      if (!lease) return true;
      if (lease.length === 0) return false;
      traffic.check(one.id, 'in', one.received, lease.bytes);
      one.received += lease.length;
      lease.release();
    } else {
      const count = stream.read(into.subarray(0, random.logUniform(1, CHUNK_MAX)));
      if (count === null) return true;
      if (count === 0) return false;
      traffic.check(one.id, 'in', one.received, into.subarray(0, count));
      one.received += count;
    }
  }
  return true;
}

function send(one: Owned): void {
  const stream = one.stream as Whole | Writer;
  for (let turns = random.integer(0, 3); turns > 0; turns--) {
    const count = stream.write(traffic.at(one.id, 'out', one.sent, random.logUniform(1, CHUNK_MAX)));
    if (count === null) return;
    one.sent += count;
  }
}

function failed(id: number, part: Part, error: unknown): void {
  tell({ kind: 'failed', id, part, message: String((error as Error).stack) });
}

function handle({ token, isReadable, isWritable }: Event): void {
  const one = owned.get(token);
  if (!one) return;
  try {
    if (isReadable && !receive(one)) end(one);
    else if (isWritable) send(one);
  } catch (error) {
    owned.delete(token);
    one.stream.abort();
    failed(one.id, one.part, error);
  }
}

function obey(message: ToOwner): void {
  switch (message.kind) {
    case 'take':
      return take(message.stream);
    case 'give':
      return give(message.id, message.part);
    case 'split':
      return split(message.id);
    case 'stall':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, message.ms);
      return;
    case 'finish':
      return end(owned.get(tokenOf(message.id, 'writer')));
  }
}

parentPort?.on('message', (message: ToOwner) => {
  if (roles.some((role) => role.heard(message))) return;
  try {
    obey(message);
  } catch (error) {
    if (message.kind === 'take') failed(message.stream.id, partOf(message.stream), error);
    else if (message.kind === 'give') failed(message.id, message.part, error);
    else if (message.kind === 'split') failed(message.id, 'whole', error);
    else throw error;
  }
});

tell({ kind: 'ready' });
const events = new Events(16);
for (;;) {
  await poll.wait(events);
  for (const event of events) if (!handlers.handle(event)) handle(event);
}
