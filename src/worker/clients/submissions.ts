/**
 * Takes a client's submissions: copies each entry to private memory, validates it, acts on it.
 *
 * Three kinds of entries: sound ones; stale ones, whose slot has passed to another generation, are dropped; and ones that
 * no client writes. After one of those the client is detached: its memory can no longer be trusted.
 */
import { adoptDescriptor, answerOffer } from '../../atomics/ownership.js';
import { ADDRESS_WORDS } from '../../protocol/address.js';
import { Slot, slotBase } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { INTEREST_ALL } from '../../protocol/interest.js';
import { CloseMode, ShutdownHow } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import { Seen } from '../../protocol/transfer.js';
import { DatagramSharer } from '../sources/datagram-sharer.js';
import { DatagramSocket } from '../sources/datagram-socket.js';
import { EmptySlot } from '../sources/empty-slot.js';
import { type Shareable, sharedName } from '../sources/shareable.js';
import { Sharer } from '../sources/sharer.js';
import { StreamWriter } from '../sources/stream-writer.js';
import { TcpListener } from '../sources/tcp-listener.js';
import { TcpStream } from '../sources/tcp-stream.js';
import { Timer } from '../sources/timer.js';
import type { Session } from './session.js';

/** Entries taken from one client per turn, so that a busy client does not starve the others. */
const ENTRIES_PER_TURN = 1024;

/** Takes at most `limit` entries, and none after the one that made `done` true. Returns how many entries were taken. */
export function takeSubmissions(session: Session, limit = ENTRIES_PER_TURN, done?: () => boolean): number {
  if (session.draining || session.taking) return 0;
  const { submissions } = session;
  const available = submissions.available();
  if (available < 0) {
    session.detach();
    return 0;
  }
  session.taking = true;
  const taken = takeEntries(session, Math.min(available, limit), done);
  session.taking = false;
  if (taken >= 0) submissions.release(taken);
  else session.detach();
  return Math.abs(taken);
}

/** How many were taken; negative if no client of ours writes the last. */
function takeEntries(session: Session, count: number, done: (() => boolean) | undefined): number {
  const { submissions, words } = session;
  for (let offset = 0; offset < count; offset++) {
    const at = submissions.at(offset);
    // Each word is read once: the client could change it between a check and its use.
    const opcode = words[at] as number;
    const slot = words[at + 1] as number;
    const generation = words[at + 2] as number;
    const a = words[at + 3] as number;
    const b = words[at + 4] as number;
    const c = words[at + 5] as number;
    const arrive = arrivals.get(opcode);
    if (arrive) {
      if (!arrive(session, slot, generation, a, b, c)) return -1 - offset;
    } else if (!act(session, opcode, slot, generation, a, b)) {
      return -1 - offset;
    }
    if (done?.()) return offset + 1;
  }
  return count;
}

/** False: no client of ours writes such an entry. */
function act(session: Session, opcode: number, slot: number, generation: number, a: number, b: number): boolean {
  if (slot < 0 || slot >= session.slotCount) return false;
  switch (opcode) {
    case Submission.OPEN_TIMER:
      if (session.sources[slot] !== undefined) return false;
      new Timer(session, slot, generation);
      return true;
    case Submission.RECYCLE:
      return (b === 0 || b === 1) && session.recycle(a, b === 1);
    case Submission.POST:
      session.push(EventKind.POSTED, slot, generation, a);
      return true;
    case Submission.OPEN_LISTENER:
    case Submission.OPEN_STREAM:
    case Submission.OPEN_DATAGRAM:
    case Submission.OPEN_CONNECTED_STREAM:
      return open(session, opcode, slot, generation, a, b);
    default:
      return actOnSource(session, opcode, slot, generation, a, b);
  }
}

function open(session: Session, opcode: number, slot: number, generation: number, fd: number, interest: number) {
  if (session.sources[slot] !== undefined || fd < 0 || !isInterest(interest)) return false;
  // Lost to the client's close or the end of its thread: the descriptor is closed already.
  if (!adoptDescriptor(session.selector.port.native, session.words, slot, generation, fd)) return true;
  const name = sharedName(session.clientId, slot, generation);
  if (opcode === Submission.OPEN_LISTENER) {
    new TcpListener(session.selector, name, fd).join(session, slot, generation).setInterest(interest);
    return true;
  }
  if (opcode === Submission.OPEN_DATAGRAM) {
    new DatagramSocket(session.selector, name, fd).join(session, slot, generation).setInterest(interest);
    return true;
  }
  const at = slotBase(slot) + Slot.ADDRESS;
  const connects = opcode === Submission.OPEN_STREAM;
  const remote = connects ? session.words.slice(at, at + ADDRESS_WORDS) : undefined;
  new TcpStream(session, slot, generation, fd, remote).setInterest(interest);
  return true;
}

/** A stream that another client detached, or this one, arrives in a free slot. */
function attach(
  session: Session,
  slot: number,
  generation: number,
  clientId: number,
  from: number,
  fromGeneration: number,
) {
  if (slot < 0 || slot >= session.slotCount || session.sources[slot] !== undefined) return false;
  const { transfers } = session.selector;
  catchUp(session, clientId, () => transfers.has(clientId, from, fromGeneration));
  const stream = transfers.take(clientId, from, fromGeneration);
  if (stream) stream.attach(session, slot, generation);
  else EmptySlot.ofLostStream(session, slot, generation);
  return true;
}

/** A stream of this client becomes two halves, which are nobody's; the writing half leaves from a free slot. */
function split(session: Session, slot: number, generation: number, from: number, fromGeneration: number, seen: number) {
  if (slot < 0 || slot >= session.slotCount || session.sources[slot] !== undefined) return false;
  const source = session.sources[from];
  const stale = source === undefined || source.generation !== fromGeneration;
  if (!stale && source instanceof TcpStream && source.split(slot, generation, seen)) return (seen & ~Seen.ALL) === 0;
  // As one that is lost on its way (DETACH_STREAM): either half is lost to whoever attaches it.
  if (!stale) source.close(CloseMode.RESET);
  session.push(EventKind.RELEASED, slot, generation);
  return true;
}

/** What a client that it moved away from had kept gets another sharer instead, in a free slot. */
function attachShared(session: Session, slot: number, generation: number, ...from: [number, number, number]) {
  if (slot < 0 || slot >= session.slotCount || session.sources[slot] !== undefined) return false;
  const { kept } = session.selector;
  const name = sharedName(...from);
  catchUp(session, from[0], () => kept.has(name));
  joinOne(session, slot, generation, kept.get(name));
  // Not before it has a sharer, or it would close.
  kept.remove(name);
  return true;
}

/** What another client shares, or this one, gets one more sharer, in a free slot. */
function join(
  session: Session,
  slot: number,
  generation: number,
  clientId: number,
  from: number,
  fromGeneration: number,
) {
  if (slot < 0 || slot >= session.slotCount || session.sources[slot] !== undefined) return false;
  const { selector } = session;
  const name = sharedName(clientId, from, fromGeneration);
  catchUp(session, clientId, () => selector.shareable.has(name));
  joinOne(session, slot, generation, selector.shareable.get(name));
  return true;
}

function joinOne(session: Session, slot: number, generation: number, shareable: Shareable | undefined): void {
  if (shareable) shareable.join(session, slot, generation);
  else session.push(EventKind.RELEASED, slot, generation);
  answerOffer(session.words, slot, generation, shareable !== undefined);
}

/** Submissions that take three words: by all but one of them something comes from another client, or this one. */
const arrivals = new Map<number, typeof join>([
  [Submission.ATTACH_STREAM, attach],
  [Submission.SPLIT_STREAM, split],
  [Submission.JOIN, join],
  [Submission.ATTACH_SHARED, attachShared],
]);

/**
 * Takes another client's submissions until the one is taken that made what its name speaks of: published before the name was handed out,
 * but perhaps not taken yet. Only that far: what the other client wrote until then cannot depend on anything that is still to be taken
 * behind this entry, while what it wrote afterwards may. So there is no circle; a client that feigns one ends at `taking`.
 */
function catchUp({ selector }: Session, clientId: number, isThere: () => boolean): void {
  const other = selector.session(clientId);
  if (other && !isThere()) takeSubmissions(other, Number.POSITIVE_INFINITY, isThere);
}

function actOnSource(session: Session, opcode: number, slot: number, generation: number, a: number, b: number) {
  const source = session.sources[slot];
  const stale = source === undefined || source.generation !== generation;
  switch (opcode) {
    case Submission.SEND: {
      if (!session.sendBuffers.take(a)) return false;
      if (!stale && (source instanceof TcpStream || source instanceof StreamWriter || source instanceof DatagramSharer))
        source.send(a);
      else session.sent(slot, generation, a, 0);
      return true;
    }
    case Submission.INTEREST:
      if (!stale) source.setInterest(a);
      return isInterest(a);
    case Submission.SHUTDOWN:
      if (!stale && (source instanceof TcpStream || source instanceof StreamWriter)) source.shutdown(a);
      return a >= ShutdownHow.READ && a <= ShutdownHow.BOTH;
    case Submission.DISCONNECT:
    case Submission.RECONNECT:
      if (stale) return true;
      if (!(source instanceof TcpStream)) return false;
      if (opcode === Submission.DISCONNECT) source.disconnect();
      else source.reconnect();
      return true;
    case Submission.CLOSE:
      if (!stale) source.close(a);
      return a === CloseMode.FLUSHED || a === CloseMode.RESET;
    case Submission.HAND_BACK:
      if (!stale && source instanceof DatagramSharer) source.handBack();
      return stale || source instanceof DatagramSharer;
    case Submission.DETACH_SHARED:
      if (stale) return true;
      return (source instanceof Sharer || source instanceof DatagramSharer) && source.detach();
    case Submission.COPIES_READ:
      return stale || (source instanceof TcpStream && session.receivePool.copiesRead(source.receiving, a));
    case Submission.DETACH_STREAM:
      // One that was lost on an earlier way is lost to whoever comes next, too.
      if ((source instanceof TcpStream || source instanceof StreamWriter) && !stale) source.detach(a);
      else if (!stale) source.close(CloseMode.RESET);
      return (a & ~Seen.ALL) === 0;
    case Submission.LATE_TAKEN:
      return stale || (source instanceof TcpStream && source.lateTaken());
    case Submission.SET_TIMER:
      if (!stale && source instanceof Timer) source.set(a === 1, b);
      return (a === 0 || a === 1) && b >= 0;
    case Submission.ACCEPT_CREDIT: {
      if (a < 0 || a >= session.slotCount || session.sources[a] !== undefined) return false;
      // Stale: its opening was lost to the end of the client's thread. The slot goes back unused.
      if (stale) session.push(EventKind.RELEASED, a, b);
      else if (source instanceof Sharer) source.addCredit(a, b);
      else return false;
      return true;
    }
    default:
      return false;
  }
}

function isInterest(value: number): boolean {
  return (value & ~INTEREST_ALL) === 0;
}
