/**
 * Takes a client's submissions: copies each entry to private memory, validates it, acts on it.
 *
 * Three kinds of entries: sound ones; stale ones, whose slot has passed to another generation, are dropped; and ones that
 * no client writes. After one of those the client is detached: its memory can no longer be trusted.
 */
import { adoptDescriptor } from '../../atomics/ownership.js';
import { ADDRESS_WORDS } from '../../protocol/address.js';
import { Slot, slotBase } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { INTEREST_ALL } from '../../protocol/interest.js';
import { CloseMode, ShutdownHow } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import { TcpListener } from '../sources/tcp-listener.js';
import { TcpStream } from '../sources/tcp-stream.js';
import type { Session } from './session.js';

/** Entries taken from one client per turn, so that a busy client does not starve the others. */
const ENTRIES_PER_TURN = 1024;

/** Returns how many entries were taken. */
export function takeSubmissions(session: Session, limit = ENTRIES_PER_TURN): number {
  if (session.draining) return 0;
  const { submissions, words } = session;
  const available = submissions.available();
  if (available < 0) {
    session.detach();
    return 0;
  }
  const count = Math.min(available, limit);
  for (let offset = 0; offset < count; offset++) {
    const at = submissions.at(offset);
    // Each word is read once: the client could change it between a check and its use.
    const opcode = words[at] as number;
    const slot = words[at + 1] as number;
    const generation = words[at + 2] as number;
    const sound = act(session, opcode, slot, generation, words[at + 3] as number, words[at + 4] as number);
    if (!sound) {
      session.detach();
      return count;
    }
  }
  submissions.release(count);
  return count;
}

/** False: no client of ours writes such an entry. */
function act(session: Session, opcode: number, slot: number, generation: number, a: number, b: number): boolean {
  if (slot < 0 || slot >= session.slotCount) return false;
  switch (opcode) {
    case Submission.RECYCLE:
      return (b === 0 || b === 1) && session.receivePool.recycle(a, b === 1);
    case Submission.POST:
      session.push(EventKind.POSTED, slot, generation, a);
      return true;
    case Submission.OPEN_LISTENER:
    case Submission.OPEN_STREAM:
      return open(session, opcode, slot, generation, a, b);
    default:
      return actOnSource(session, opcode, slot, generation, a, b);
  }
}

function open(session: Session, opcode: number, slot: number, generation: number, fd: number, interest: number) {
  if (session.sources[slot] !== undefined || fd < 0 || !isInterest(interest)) return false;
  // Lost to the client's close or the end of its thread: the descriptor is closed already.
  if (!adoptDescriptor(session.selector.port.native, session.words, slot, generation, fd)) return true;
  if (opcode === Submission.OPEN_LISTENER) {
    new TcpListener(session, slot, generation, fd).setInterest(interest);
    return true;
  }
  const at = slotBase(slot) + Slot.ADDRESS;
  const remote = session.words.slice(at, at + ADDRESS_WORDS);
  new TcpStream(session, slot, generation, fd, remote).setInterest(interest);
  return true;
}

function actOnSource(session: Session, opcode: number, slot: number, generation: number, a: number, b: number) {
  const source = session.sources[slot];
  const stale = source === undefined || source.generation !== generation;
  switch (opcode) {
    case Submission.SEND: {
      if (!session.sendBuffers.take(a)) return false;
      if (!stale && source instanceof TcpStream) source.send(a);
      else session.sent(slot, generation, a, 0);
      return true;
    }
    case Submission.INTEREST:
      if (!stale) source.setInterest(a);
      return isInterest(a);
    case Submission.SHUTDOWN:
      if (!stale && source instanceof TcpStream) source.shutdown(a);
      return a >= ShutdownHow.READ && a <= ShutdownHow.BOTH;
    case Submission.CLOSE:
      if (!stale) source.close(a);
      return a === CloseMode.FLUSHED || a === CloseMode.RESET;
    case Submission.COPIES_READ:
      return stale || (source instanceof TcpStream && session.receivePool.copiesRead(source, a));
    case Submission.ACCEPT_CREDIT: {
      if (a < 0 || a >= session.slotCount || session.sources[a] !== undefined) return false;
      // Stale: its opening was lost to the end of the client's thread. The slot goes back unused.
      if (stale) session.push(EventKind.RELEASED, a, b);
      else if (source instanceof TcpListener) source.addCredit(a, b);
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
