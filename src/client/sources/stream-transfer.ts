/**
 * A stream's way from one thread to another, as its threads see it (protocol/transfer.ts): what the name says, and what is
 * made of it.
 */
import { Claims, nameExpired, Offer, useName } from '../../atomics/claim.js';
import { awaitAdopted } from '../../atomics/ownership.js';
import { fail, type SystemError, systemError } from '../../errors.js';
import {
  type DetachedStream,
  type ErrorDescription,
  NameUse,
  type StreamKind,
  type StreamState,
  type UnreadData,
} from '../../protocol/transfer.js';
import { IoThread } from '../io-thread/io-thread.js';
import type { Client } from '../link/client.js';
import type { SlotName, SlotOwner } from '../link/slots.js';
import type { Source } from './source.js';

/** Has the slot of a stream that went away, until it is released: what still comes for it was dealt with by the I/O thread. */
export const DEPARTED: SlotOwner = { dispatch() {}, released() {}, goneWithIoThread() {} };

/** Looks this often whether the I/O thread, which has a descriptor to adopt, still lives. */
const SLICE_MS = 100;

/** Makes the name; with the DETACH_STREAM that follows the stream is the I/O thread's. */
export function nameFor(
  client: Client,
  { slot, generation }: SlotName,
  kind: StreamKind,
  fd: number,
  state: StreamState,
  unread: UnreadData | undefined,
): DetachedStream<StreamKind> {
  client.claims.offer(slot, generation, Offer.DETACHED);
  return {
    sideport: 'detached-stream',
    kind,
    portId: client.portId,
    clientId: client.clientId,
    slot,
    generation,
    memory: client.words.buffer as SharedArrayBuffer,
    use: new SharedArrayBuffer(4),
    fd,
    state,
    unread,
  };
}

/** Blocks until the descriptor is the port's: it must not end with this thread. @throws ERR_SIDEPORT_IO_THREAD_GONE */
export function settleDescriptor(client: Client, { slot, generation }: SlotName): void {
  while (!awaitAdopted(client.words, slot, generation, SLICE_MS)) {
    client.probe();
    client.checkAlive();
  }
}

/** This thread's tie to the I/O thread that has the stream. @throws ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_IO_THREAD_GONE */
export function clientFor(name: DetachedStream<StreamKind>, kind: StreamKind): Client {
  if (!(name?.use instanceof SharedArrayBuffer)) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', 'Not a detached stream: expected what detach() gave');
  }
  return clientOf(name, 'detached-stream', kind);
}

/** This thread's tie to the I/O thread that a name speaks of. @throws ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_IO_THREAD_GONE */
export function clientOf(name: { sideport: string; kind: string; portId: number }, what: string, kind: string): Client {
  if (name?.sideport !== what || name.kind !== kind) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', `Not the name of a ${kind} (${what})`);
  }
  return IoThread.from({ sideport: 'io-thread', portId: name.portId }).client();
}

/** From here on the stream is this thread's, or this throws. @throws ERR_SIDEPORT_TRANSFER_USED, ERR_SIDEPORT_TRANSFER_EXPIRED */
export function claimStream(client: Client, { use, memory, slot, generation }: DetachedStream<StreamKind>): void {
  const word = new Int32Array(use);
  const was = useName(word);
  if (was === NameUse.USED) throw fail('ERR_SIDEPORT_TRANSFER_USED');
  if (was === NameUse.EXPIRED) throw fail('ERR_SIDEPORT_TRANSFER_EXPIRED');
  // The other client's memory: seen through this once.
  if (new Claims(new Int32Array(memory)).claim(slot, generation, Offer.DETACHED, client.clientId)) return;
  nameExpired(word);
  throw fail('ERR_SIDEPORT_TRANSFER_EXPIRED');
}

export function describeError(error: SystemError | undefined): ErrorDescription | undefined {
  if (!error) return undefined;
  const { syscall, errno, address, port = 0 } = error;
  return { syscall, errno, remote: address === undefined ? undefined : { address, port } };
}

export function errorFrom(described: ErrorDescription | undefined): SystemError | undefined {
  return described && systemError(described.syscall, described.errno, described.remote);
}

/** Whose I/O thread serves the source, or is to from now on. @throws ERR_SIDEPORT_OTHER_IO_THREAD, ERR_SIDEPORT_IO_THREAD_GONE */
export function clientToServe({ client, closed }: Source, ioThread: IoThread | undefined): Client {
  if (closed) throw fail('ERR_SIDEPORT_CLOSED');
  const given = ioThread?.client();
  if (client && given && client !== given) throw fail('ERR_SIDEPORT_OTHER_IO_THREAD');
  return client ?? given ?? IoThread.default().client();
}
