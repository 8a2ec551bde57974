/** What a stream is at the moment in which it changes threads: told by the one owner, gone on with by the next. */
import { presumeCarried } from '../../atomics/readiness.js';
import type { SystemError } from '../../errors.js';
import { ADDRESS_WORDS } from '../../protocol/address.js';
import { Slot, slotBase } from '../../protocol/client-memory.js';
import { Submission } from '../../protocol/submissions.js';
import {
  type DetachedStream,
  type HalfKind,
  Seen,
  type SplitStream,
  type StreamEnds,
  type StreamKind,
  type StreamState,
} from '../../protocol/transfer.js';
import type { Reader } from '../buffers/received-data.js';
import { SendQueue } from '../buffers/send-queue.js';
import type { Client } from '../link/client.js';
import type { SlotName, SlotOwner } from '../link/slots.js';
import { SourceState } from './source-state.js';
import type { StreamSource } from './stream-source.js';
import { claimStream, clientFor, DEPARTED, describeError, errorFrom, nameFor } from './stream-transfer.js';

/** A half has none (StreamEnds). */
const NO_DESCRIPTOR = -1;

/** A stream, as far as its moving is concerned. */
interface Moving extends SlotName, Reader {
  state: number;
  is(bit: number): boolean;
  error: SystemError | undefined;
  /** What it wrote that may be unsent. */
  sends: SendQueue | undefined;
  retry(): boolean;
  buffersUntilRoom(): number;
  leave(heir: SlotOwner): void;
}

/** What the next owner has to know. */
export function describe(stream: Moving, { words }: Client): StreamState {
  const at = slotBase(stream.slot) + Slot.ADDRESS;
  return {
    connected: stream.is(SourceState.CONNECTED),
    readEnded: stream.is(SourceState.READ_ENDED),
    writeClosed: stream.is(SourceState.WRITE_CLOSED),
    failed: stream.is(SourceState.FAILED),
    error: describeError(stream.error),
    remote: words.slice(at, at + ADDRESS_WORDS),
    unsentBytes: stream.sends?.unsentBytes ?? 0,
    full: stream.sends?.isFull ?? false,
  };
}

/** Its owner lets go of it, as two halves. The writing half leaves from a slot of its own. @throws ERR_SIDEPORT_LIMIT, and changes nothing */
export function splitStream(
  stream: Moving,
  client: Client,
  readerKind: HalfKind,
  writerKind: HalfKind,
  ends: StreamEnds,
): SplitStream<HalfKind, HalfKind> {
  const slot = client.allocate(DEPARTED);
  const from = { slot, generation: client.generation(slot) };
  const state = describe(stream, client);
  // Neither half asks for what it has not: reading is over for the writer, writing for the reader.
  const reading = { ...state, writeClosed: true, unsentBytes: 0, full: false };
  const writing = { ...state, readEnded: true };
  const unread = client.received.takeOut(stream);
  const reader = { ...nameFor(client, stream, readerKind, NO_DESCRIPTOR, reading, unread), ends };
  const writer = { ...nameFor(client, from, writerKind, NO_DESCRIPTOR, writing, undefined), ends };
  client.roomless.forget(stream);
  client.submit(
    Submission.SPLIT_STREAM,
    slot,
    from.generation,
    stream.slot,
    stream.generation,
    seenOf(state, state.failed),
  );
  client.flush();
  stream.leave(DEPARTED);
  return { reader, writer } as SplitStream<HalfKind, HalfKind>;
}

/** Bits of {@link Seen}: what the next owner need not be told. */
export function seenOf({ connected, readEnded }: StreamState, failed: boolean): number {
  let seen = readEnded ? Seen.END : 0;
  if (connected || readEnded) seen |= Seen.CONNECT;
  if (failed) seen |= Seen.FAILURE;
  return seen;
}

/**
 * Of a stream that was detached elsewhere makes one of this thread's, which goes on where the last owner left off.
 *
 * @param make  one that knows nothing yet, in that slot
 * @throws as an `attach` of its class
 */
export function arrive<Kind extends StreamKind, Stream extends StreamSource>(
  name: DetachedStream<Kind>,
  kind: Kind,
  make: (client: Client, at: SlotName) => Stream,
): Stream {
  const client = clientFor(name, kind);
  const slot = client.allocate(DEPARTED);
  try {
    claimStream(client, name);
  } catch (error) {
    client.forsake(slot);
    throw error;
  }
  const stream = make(client, { slot, generation: client.generation(slot) });
  client.transfer(stream, stream);
  if (stream.kind !== kind) stream.kind = kind;
  resume(stream, client, name);
  if (name.unread) client.received.adopt(stream, name.unread);
  return stream;
}

/** But for what is unread. */
function resume(stream: Moving, client: Client, name: DetachedStream<StreamKind>): void {
  const { state } = name;
  client.words.set(state.remote, slotBase(stream.slot) + Slot.ADDRESS);
  presumeCarried(client.words, stream.slot, state.unsentBytes);
  if (!state.connected) stream.state &= ~SourceState.CONNECTED;
  if (state.readEnded) stream.state |= SourceState.READ_ENDED;
  if (state.writeClosed) stream.state |= SourceState.WRITE_CLOSED;
  if (state.failed) stream.state |= SourceState.FAILED;
  if (state.error) stream.error = errorFrom(state.error);
  if (state.unsentBytes > 0 || state.full) stream.sends = new SendQueue(client, stream, state.unsentBytes, state.full);
  const { clientId, slot, generation } = name;
  client.submit(Submission.ATTACH_STREAM, stream.slot, stream.generation, clientId, slot, generation);
  client.flush();
}
