/** Reading a stream on its owner's thread: of what was received, which lies in `client.received`. */
import { NO_CHUNK } from '../buffers/chunk-table.js';
import { Lease } from '../buffers/lease.js';
import type { Reader } from '../buffers/received-data.js';
import type { Client } from '../link/client.js';
import { checkBytes } from './stream-writing.js';

/** A stream, as far as reading it is concerned. */
export interface Readable extends Reader {
  readonly client: Client | undefined;
  /** Whether what is read are messages, apart from each other. */
  readonly messages: boolean;
  checkOpen(): void;
  read(into: Uint8Array): number | null;
  /** 0 at the end, null when more may come. @throws the error that ended reading, once */
  nothingToRead(): 0 | null;
}

export function read(stream: Readable, into: Uint8Array): number | null {
  check(stream, into);
  if (into.length === 0) return 0;
  if (stream.firstChunk === NO_CHUNK) return stream.nothingToRead();
  return received(stream).read(stream, into, stream.messages);
}

/** As {@link read}, and what was read stays. */
export function peek(stream: Readable, into: Uint8Array): number | null {
  check(stream, into);
  if (into.length === 0) return 0;
  if (stream.firstChunk === NO_CHUNK) return stream.nothingToRead();
  return received(stream).peek(stream, into, stream.messages);
}

/** Into one after another; an error that comes after some bytes is the next call's. */
export function readv(stream: Readable, into: readonly Uint8Array[]): number | null {
  let count = 0;
  for (const part of into) {
    if (count > 0 && stream.firstChunk === NO_CHUNK) break;
    const read = stream.read(part);
    if (read === null) return null;
    count += read;
    if (read < part.length) break;
  }
  stream.checkOpen();
  return count;
}

export function take(stream: Readable): Lease | null {
  stream.checkOpen();
  if (stream.firstChunk !== NO_CHUNK) return new Lease(received(stream), stream);
  return stream.nothingToRead() === null ? null : new Lease();
}

function check(stream: Readable, into: Uint8Array): void {
  stream.checkOpen();
  checkBytes(into);
}

/** Of a stream that has chunks, and so a client. */
function received({ client }: Readable): Client['received'] {
  return (client as Client).received;
}
