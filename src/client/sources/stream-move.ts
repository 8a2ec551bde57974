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
import { DEPARTED, describeError, errorFrom, nameFor } from './stream-transfer.js';

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
  leave(heir: SlotOwner): void;
}

function describe(stream: Moving, { words }: Client): StreamState {
  const at = slotBase(stream.slot) + Slot.ADDRESS;
  return {
    connected: stream.is(SourceState.CONNECTED),
    readEnded: stream.is(SourceState.READ_ENDED),
    writeClosed: stream.is(SourceState.WRITE_CLOSED),
    error: describeError(stream.error),
    remote: words.slice(at, at + ADDRESS_WORDS),
    unsentBytes: stream.sends?.unsentBytes ?? 0,
    full: stream.sends?.isFull ?? false,
  };
}

/** Its owner lets go of it: nobody has it until its name is attached. */
export function detachStream(
  stream: Moving,
  client: Client,
  kind: StreamKind,
  fd: number,
  ends: StreamEnds | undefined,
): DetachedStream<StreamKind> {
  const state = describe(stream, client);
  const name = nameFor(client, stream, kind, fd, state, client.received.takeOut(stream), ends);
  depart(stream, client, Submission.DETACH_STREAM, stream, seenOf(state));
  return name;
}

/** As {@link detachStream}, as two halves. The writing half leaves from a slot of its own. @throws ERR_SIDEPORT_LIMIT, and changes nothing */
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
  const reader = nameFor(client, stream, readerKind, NO_DESCRIPTOR, reading, unread, ends);
  const writer = nameFor(client, from, writerKind, NO_DESCRIPTOR, writing, undefined, ends);
  depart(stream, client, Submission.SPLIT_STREAM, from, stream.slot, stream.generation, seenOf(state));
  return { reader, writer } as SplitStream<HalfKind, HalfKind>;
}

function depart(
  stream: Moving,
  client: Client,
  opcode: number,
  { slot, generation }: SlotName,
  a: number,
  b = 0,
  c = 0,
) {
  client.roomless.forget(stream);
  client.submit(opcode, slot, generation, a, b, c);
  client.flush();
  stream.leave(DEPARTED);
}

/** Bits of {@link Seen}: what the next owner need not be told. */
function seenOf({ connected, readEnded, writeClosed }: StreamState): number {
  let seen = readEnded ? Seen.END : 0;
  if (connected || readEnded) seen |= Seen.CONNECT;
  if (writeClosed) seen |= Seen.FAILURE;
  return seen;
}

/** Goes on where the last owner left off, but for what is unread: of a stream that knows nothing yet. */
export function resume(stream: Moving, client: Client, name: DetachedStream<StreamKind>): void {
  const { state } = name;
  client.words.set(state.remote, slotBase(stream.slot) + Slot.ADDRESS);
  presumeCarried(client.words, stream.slot, state.unsentBytes);
  if (!state.connected) stream.state &= ~SourceState.CONNECTED;
  if (state.readEnded) stream.state |= SourceState.READ_ENDED;
  if (state.writeClosed) stream.state |= SourceState.WRITE_CLOSED;
  if (state.error) stream.error = errorFrom(state.error);
  if (state.unsentBytes > 0 || state.full) stream.sends = new SendQueue(client, stream, state.unsentBytes, state.full);
  const { clientId, slot, generation } = name;
  client.submit(Submission.ATTACH_STREAM, stream.slot, stream.generation, clientId, slot, generation);
  client.flush();
}
