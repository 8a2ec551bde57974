/**
 * Sessions of a named pipe's server end: one client after another, by one stream.
 *
 * ```
 *   connecting, established, failed ──disconnect──► withdrawing, disconnecting ──all released──► disconnected ──reconnect──► connecting
 * ```
 */
import { ADDRESS_WORDS } from '../../protocol/address.js';
import { EventKind } from '../../protocol/events.js';
import { PortOpcode, ShutdownHow } from '../../protocol/port-records.js';
import { ECANCELED } from './errnos.js';
import type { TcpStream } from './tcp-stream.js';

/** A named pipe's server connects to nobody in particular. */
const NOBODY = new Int32Array(ADDRESS_WORDS);

export function disconnect(stream: TcpStream): void {
  stream.receiving.unstarve();
  stream.sending.giveBackUnsent(ECANCELED);
  if (stream.state === 'connecting') {
    stream.state = 'withdrawing';
    return stream.session.selector.port.cancel(stream.endpoint, PortOpcode.CONNECT);
  }
  stream.receiving.cancel();
  stream.sending.cancel();
  end(stream);
}

export function reconnect(stream: TcpStream): void {
  stream.state = 'connecting';
  stream.session.selector.port.connect(stream.endpoint, NOBODY);
}

/** Nobody has come while it was withdrawn; or a client that came at the last moment, which is let go as well. */
export function withdrawn(stream: TcpStream): void {
  end(stream);
}

/** Once nothing of it is in flight, nothing of it remains. */
export function sessionOver(stream: TcpStream): void {
  const { receiving, sending } = stream;
  if (receiving.isInFlight || sending.isInFlight || stream.state !== 'disconnecting') return;
  stream.state = 'disconnected';
  receiving.end = undefined;
  sending.startOver();
  stream.push(EventKind.DISCONNECTED, 0);
}

function end(stream: TcpStream): void {
  stream.state = 'disconnecting';
  stream.session.selector.port.shutdown(stream.endpoint, ShutdownHow.SESSION);
  sessionOver(stream);
}
