/**
 * How a stream ends that was split: it is the reading half itself, and has the writing half (stream-writer.ts).
 *
 * ```
 *               the reader closes first                        the writer closes first
 *   both open ──► receiving is shut down, its slot RELEASED  |   flushing ──► FIN, its slot RELEASED
 *             ──the writer closes, all is sent──► CLOSE      |   ──the reader closes──► CLOSE
 * ```
 *
 * A reset by either closes the endpoint at once. The other one is told, and its slot stays, without an endpoint, until it closes; so a slot goes back when its half
 * is closed and nothing of its memory is in flight, and that of the half which closed the endpoint goes back with that.
 */
import { EventKind } from '../../protocol/events.js';
import { CloseMode, ShutdownHow } from '../../protocol/port-records.js';
import { ECONNABORTED } from './errnos.js';
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
  stream.session.selector.port.shutdown(stream.endpoint, ShutdownHow.READ);
  stream.receiving.shutdown();
  if (!stream.receiving.isInFlight) stream.readingOver();
}

/** The writer has reset the connection. */
export function resetByWriter(stream: TcpStream): void {
  if (stream.state === 'closed') return stream.writer?.release();
  if (!stream.isOpen) return;
  stream.receiving.unstarve();
  stream.submitClose(CloseMode.RESET);
  if (stream.receiving.end !== undefined) return;
  stream.receiving.end = ECONNABORTED;
  if (stream.reading === 'open' && stream.isAtHome) stream.push(EventKind.END, ECONNABORTED);
}

/** The writer was closed, and all of it is sent, or can never be. */
export function writerFlushed(stream: TcpStream): void {
  if (stream.state === 'closed') return stream.writer?.release();
  if (!stream.isOpen) return;
  if (stream.reading !== 'open') return stream.submitClose(CloseMode.FLUSHED);
  stream.session.selector.port.shutdown(stream.endpoint, ShutdownHow.WRITE);
  stream.writer?.release();
}
