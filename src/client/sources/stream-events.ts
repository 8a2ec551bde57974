/** What a stream hears from the I/O thread, on its owner's thread, and what it is ready for then. */
import { carried, readinessErrno, takeReadiness } from '../../atomics/readiness.js';
import { errnoOf, systemError } from '../../errors.js';
import { Readiness } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { NO_CHUNK } from '../buffers/chunk-table.js';
import type { Client } from '../link/client.js';
import { Ready } from '../polling/events.js';
import { SourceState } from './source-state.js';
import type { StreamSource } from './stream-source.js';
import { hasRoom } from './stream-writing.js';

const ECANCELED = errnoOf('ECANCELED');

/** Bits of {@link Ready} that hold now. */
export function readiness(stream: StreamSource): number {
  let ready = 0;
  if (stream.firstChunk !== NO_CHUNK || stream.is(SourceState.READ_ENDED)) ready |= Ready.READABLE;
  if (stream.is(SourceState.READ_ENDED)) ready |= Ready.READ_CLOSED;
  if (stream.is(SourceState.WRITE_CLOSED)) ready |= Ready.WRITABLE | Ready.WRITE_CLOSED;
  else if (stream.is(SourceState.CONNECTED) && hasRoom(stream)) ready |= Ready.WRITABLE;
  // Whoever asks next meets it, whichever way: so the stream is ready both ways.
  if (stream.error) ready |= Ready.READABLE | Ready.WRITABLE | Ready.ERROR;
  return ready;
}

export function dispatch(stream: StreamSource, kind: number, a: number, b: number): void {
  switch (kind) {
    case EventKind.DATA:
      return data(stream, a, b);
    case EventKind.SENT:
      return sent(stream, a, b);
    case EventKind.END:
      return end(stream, a);
    case EventKind.READY:
      return ready(stream);
  }
}

function data(stream: StreamSource, name: number, length: number): void {
  const client = stream.client as Client;
  if (stream.closed) return client.recycle(name);
  client.received.add(stream, name, length);
  stream.raise(Ready.READABLE);
}

function end(stream: StreamSource, errno: number): void {
  stream.state |= SourceState.READ_ENDED;
  if (errno !== 0) failed(stream, 'read', errno);
  else stream.raise(Ready.READABLE | Ready.READ_CLOSED);
}

function sent(stream: StreamSource, name: number, errno: number): void {
  stream.sends?.sent(name);
  if (errno === 0 || stream.closed || !stream.hearsOfFailure || errno === ECANCELED) return;
  failed(stream, 'write', errno);
}

function ready(stream: StreamSource): void {
  const { words, roomless } = stream.client as Client;
  const bits = takeReadiness(words, stream.slot);
  if ((bits & Readiness.FAILED) !== 0) {
    stream.state |= SourceState.READ_ENDED;
    failed(stream, 'connect', readinessErrno(words, stream.slot));
    return;
  }
  if ((bits & Readiness.CONNECTED) !== 0) {
    stream.state |= SourceState.CONNECTED;
    stream.raise(Ready.WRITABLE);
  }
  if ((bits & Readiness.CARRIED) !== 0 && stream.sends) {
    stream.sends.carried = carried(words, stream.slot);
    roomless.ask(stream);
  }
  if ((bits & Readiness.SEND_FAILED) !== 0 && stream.hearsOfFailure)
    failed(stream, 'write', readinessErrno(words, stream.slot));
}

/** The connection failed: nothing more can be written, and everybody hears of it. */
function failed(stream: StreamSource, syscall: string, errno: number): void {
  stream.state |= SourceState.WRITE_CLOSED | SourceState.FAILED;
  stream.error ??= systemError(syscall, errno, syscall === 'connect' ? stream.remoteAddress() : undefined);
  stream.raise(Ready.READABLE | Ready.WRITABLE | Ready.ERROR | Ready.READ_CLOSED | Ready.WRITE_CLOSED);
}
