/** Writing a stream on its owner's thread: into send buffers, as far as there is room. */
import { errnoOf, fail, type SystemError, systemError } from '../../errors.js';
import { ShutdownHow } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import { SendQueue } from '../buffers/send-queue.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { Ready } from '../polling/events.js';
import { SourceState } from './source-state.js';

const EPIPE = errnoOf('EPIPE');
const ENOTCONN = errnoOf('ENOTCONN');

/** A stream, as far as writing it is concerned. */
export interface Writable extends SlotName {
  readonly client: Client | undefined;
  /** Whether what is written are messages, apart from each other. */
  readonly messages: boolean;
  readonly error: SystemError | undefined;
  state: number;
  is(bit: number): boolean;
  checkOpen(): void;
  write(bytes: Uint8Array): number | null;
  takeError(): SystemError | null;
  /** Made by the first write. */
  sends: SendQueue | undefined;
  retry(): boolean;
  buffersUntilRoom(): number;
  submit(opcode: number, a?: number): void;
  raise(bits: number): void;
}

export function write(stream: Writable, bytes: Uint8Array): number | null {
  stream.checkOpen();
  checkBytes(bytes);
  if (stream.error) throw stream.takeError();
  if (stream.is(SourceState.WRITE_CLOSED)) throw systemError('write', EPIPE);
  stream.client?.checkAlive();
  if (bytes.length === 0) return 0;
  if (!stream.is(SourceState.CONNECTED)) return null;
  const queue = sendQueue(stream);
  const count = stream.messages ? queue.writeMessage(bytes) : queue.write(bytes);
  // Asked also after a part was taken: then there is no more room, and somebody must hear of it when there is.
  if (count < bytes.length) hasRoom(stream);
  if (count === 0) return null;
  stream.client?.flush();
  return count;
}

/** One after another; an error that comes after some bytes is the next call's. */
export function writev(stream: Writable, from: readonly Uint8Array[]): number | null {
  stream.checkOpen();
  let count = 0;
  for (const part of from) {
    if (count > 0 && stream.error) break;
    const written = stream.write(part);
    if (written === null) return count > 0 ? count : null;
    count += written;
    if (written < part.length) break;
  }
  return count;
}

export function shutdown(stream: Writable, how: 'read' | 'write' | 'both'): void {
  stream.checkOpen();
  if (how !== 'read' && how !== 'write' && how !== 'both') {
    throw fail('ERR_SIDEPORT_INVALID_ARG', `shutdown takes 'read', 'write' or 'both', not ${String(how)}`);
  }
  if (!stream.is(SourceState.CONNECTED)) throw systemError('shutdown', ENOTCONN);
  if (how !== 'write') stream.state |= SourceState.READ_ENDED;
  if (how !== 'read') stream.state |= SourceState.WRITE_CLOSED;
  const wire = { read: ShutdownHow.READ, write: ShutdownHow.WRITE, both: ShutdownHow.BOTH }[how];
  if (stream.client?.isAlive) stream.submit(Submission.SHUTDOWN, wire);
  stream.raise(how === 'read' ? Ready.READABLE | Ready.READ_CLOSED : Ready.WRITE_CLOSED);
}

/** With no room this stream is asked again when a send completes. */
export function hasRoom(stream: Writable): boolean {
  const client = stream.client as Client;
  if (stream.sends ? stream.sends.hasRoom : client.sendPool.available(false)) return true;
  client.roomless.add(stream);
  return false;
}

export function sendQueue(stream: Writable): SendQueue {
  stream.sends ??= new SendQueue(stream.client as Client, stream);
  return stream.sends;
}

export function checkBytes(bytes: Uint8Array): void {
  if (!(bytes instanceof Uint8Array)) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', 'Expected a Uint8Array (a Buffer is one)');
  }
}
