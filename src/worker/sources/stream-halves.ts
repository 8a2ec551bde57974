/**
 * How a stream ends that was split: it is the reading half itself, and has the writing half (stream-writer.ts).
 *
 * ```
 *                        ┌──the reader closes: what comes is discarded (stream-discarding.ts)──► writing alone ──┐
 *   both open ───────────┤                                                                                       ├──► lingering
 *                        └──the writer closes: all is sent, FIN──► reading alone ──the reader closes─────────────┘       │
 *                                                                                                                        ▼
 *                           CLOSE ◄──the peer's end has come, or an error; or lingerMs over: a reset──────────────── discarding
 * ```
 *
 * The half that closes first has its slot RELEASED when nothing of its memory is in flight, the other one with the endpoint. So a process stays until the peer has
 * what was accepted, or lingerMs is over.
 *
 * A reset by either closes the endpoint at once. The other one is told, and its slot stays, without an endpoint, until it closes; so a slot goes back when its half
 * is closed and nothing of its memory is in flight, and that of the half which closed the endpoint goes back with that.
 */
import { Readiness } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { CloseMode } from '../../protocol/port-records.js';
import { ECONNABORTED } from './errnos.js';
import { StreamDiscarding } from './stream-discarding.js';
import type { TcpStream } from './tcp-stream.js';

/** The reader closes, and the writer is there still. */
export function closeReading(stream: TcpStream, mode: number): void {
  if (stream.reading !== 'open') return;
  stream.reading = 'closed';
  if (stream.state === 'closed') return stream.readingOver();
  if (!stream.isOpen) return;
  if (mode === CloseMode.RESET) {
    stream.receiving.unstarve();
    stream.submitClose(CloseMode.RESET);
    stream.writer?.fail(ECONNABORTED);
    return;
  }
  stream.receiving.stop();
  if (!stream.receiving.isInFlight) readingReleased(stream);
}

/** The reader is closed, and nothing is received into its memory any more. */
export function readingReleased(stream: TcpStream): void {
  const { writer } = stream;
  if (stream.isOpen) stream.discarding ??= new StreamDiscarding(stream);
  // The one that closed first.
  if (writer?.isOver === false && stream.reading === 'closed') stream.readingOver();
  stream.discarding?.arm();
  settleLingering(stream);
}

/** The writer has reset the connection. */
export function resetByWriter(stream: TcpStream): void {
  if (stream.state === 'closed') return stream.writer?.release();
  if (!stream.isOpen) return;
  stream.receiving.unstarve();
  stream.submitClose(CloseMode.RESET);
  if (stream.receiving.end !== undefined) return tellReader(stream, ECONNABORTED);
  stream.receiving.end = ECONNABORTED;
  if (stream.reading === 'open' && stream.isAtHome) stream.push(EventKind.END, ECONNABORTED);
}

/** The connection has failed, and the reader has had the peer's end already: it hears of it all the same. Before that its receive tells. */
export function tellReader(stream: TcpStream, errno: number): void {
  const { receiving, session, slot, generation } = stream;
  if (receiving.end !== 0 || stream.reading !== 'open') return;
  receiving.end = errno;
  // Not by another END: the ring has room for one.
  if (stream.isAtHome) session.ready(slot, generation, Readiness.SEND_FAILED, errno);
  else stream.unsee();
}

/** The writer was closed, and all of it is sent, or can never be. */
export function writerFlushed(stream: TcpStream): void {
  const { writer } = stream;
  if (stream.state === 'closed') return writer?.release();
  if (!stream.isOpen) return;
  writer?.end();
  if (stream.reading === 'open') return writer?.release();
  settleLingering(stream);
}

/** Once both halves are closed, all is sent and nothing comes any more, the connection closes. */
export function settleLingering(stream: TcpStream): void {
  const { writer, discarding, sending, reading, isOpen } = stream;
  if (!isOpen || reading === 'open' || !writer?.hasEnded) return;
  // A connection that has failed delivers nothing more.
  if (discarding?.isOver || sending.failure !== 0) stream.submitClose(CloseMode.FLUSHED);
}
