/** A Poll's way from one thread to another: its sources go their own ways, all at once (protocol/transfer.ts). */
import { nameExpired, useName } from '../../atomics/claim.js';
import { fail, SideportError } from '../../errors.js';
import {
  type DetachedPoll,
  type DetachedRegistration,
  type DetachedShared,
  type DetachedSource,
  NameUse,
  type StreamKind,
} from '../../protocol/transfer.js';
import { IoThread } from '../io-thread/io-thread.js';
import type { Client } from '../link/client.js';
import { kSource } from '../link/handle.js';
import { ForeignStream } from '../sources/foreign-stream.js';
import { ListenerSource } from '../sources/listener-source.js';
import { TcpReader, TcpWriter } from '../sources/tcp-halves.js';
import { TcpListener } from '../sources/tcp-listener.js';
import { TcpStream } from '../sources/tcp-stream.js';
import { Timer } from '../sources/timer.js';
import { UdpSocket } from '../sources/udp-socket.js';
import { UnixDatagram } from '../sources/unix-datagram.js';
import { UnixReader, UnixWriter } from '../sources/unix-halves.js';
import { UnixListener } from '../sources/unix-listener.js';
import { UnixStream } from '../sources/unix-stream.js';
import type { Registration } from './registration.js';
import type { Registry } from './registry.js';

/** A source that goes along with its Poll. */
export type MovableSource =
  | TcpStream
  | TcpReader
  | TcpWriter
  | UnixStream
  | UnixReader
  | UnixWriter
  | ForeignStream
  | TcpListener
  | UnixListener
  | UdpSocket
  | UnixDatagram
  | Timer;

const STREAMS = {
  TcpStream,
  TcpReader,
  TcpWriter,
  UnixStream,
  UnixReader,
  UnixWriter,
  ForeignStream,
} satisfies Record<StreamKind, unknown>;
const SHAREABLE = { TcpListener, UnixListener, UdpSocket, UnixDatagram } satisfies Record<
  DetachedShared['shared']['kind'],
  unknown
>;

/** All registrations, or none. @throws as `Poll.detach` */
export function detachAll({ client, list }: Registry): DetachedPoll {
  client.checkAlive();
  const departures: { registration: Registration; leave: () => DetachedSource }[] = [];
  for (let each = list.newest; each; each = each.older) {
    departures.push({ registration: each, leave: each.source.departure() });
  }
  const registrations = departures.reverse().map(({ registration, leave }) => {
    // What is known of each is complete when it leaves; and an unread ring never holds more than one stream's data (protocol/events.ts).
    client.drainForPoll();
    return { ...registration.describe(), source: leave() };
  });
  const use = new SharedArrayBuffer(4);
  return { sideport: 'detached-poll', portId: client.portId, use, registrations };
}

/** This thread's tie to the I/O thread that has the sources. @throws ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_IO_THREAD_GONE */
export function ioThreadOf(name: DetachedPoll): IoThread {
  if (name?.sideport !== 'detached-poll' || !(name.use instanceof SharedArrayBuffer)) {
    throw fail('ERR_SIDEPORT_INVALID_ARG', 'Not a detached Poll: expected what detach() gave');
  }
  return IoThread.from({ sideport: 'io-thread', portId: name.portId });
}

/** From here on all of it is this thread's, or this throws. @throws ERR_SIDEPORT_TRANSFER_USED, ERR_SIDEPORT_TRANSFER_EXPIRED, ERR_SIDEPORT_LIMIT */
export function claimPoll(client: Client, { use, registrations }: DetachedPoll): void {
  if (client.slotsAvailable < registrations.length) throw fail('ERR_SIDEPORT_LIMIT');
  const was = useName(new Int32Array(use));
  if (was === NameUse.USED) throw fail('ERR_SIDEPORT_TRANSFER_USED');
  if (was === NameUse.EXPIRED) throw fail('ERR_SIDEPORT_TRANSFER_EXPIRED');
}

/** Registers all with the Poll that is to have them, by their tokens in the order in which they were registered. What fails closes all. */
export function attachAll({ client, list }: Registry, { use, registrations }: DetachedPoll): [number, MovableSource][] {
  const sources = new Map<DetachedRegistration, MovableSource>();
  try {
    for (const was of registrations) {
      const source = attach(was.source);
      sources.set(was, source);
      // Before anything else is drained: nothing that happens to it goes unheard.
      source[kSource].resumeWith(client, list, was);
    }
    // Not sooner: they lend whatever slots there are, and each of the others needs one.
    for (const { [kSource]: inner } of sources.values()) if (inner instanceof ListenerSource) inner.retry();
  } catch (error) {
    for (const source of sources.values()) source.close();
    if (error instanceof SideportError && error.code === 'ERR_SIDEPORT_TRANSFER_EXPIRED')
      nameExpired(new Int32Array(use));
    throw error;
  }
  return registrations.map((was) => [was.token, sources.get(was) as MovableSource]);
}

function attach(source: DetachedSource): MovableSource {
  if (source.sideport === 'detached-timer') return Timer.attach(source);
  // The name is of the class that it is looked up by.
  if (source.sideport === 'detached-shared') return SHAREABLE[source.shared.kind].attached(source as never);
  return STREAMS[source.kind].attach(source as never);
}
