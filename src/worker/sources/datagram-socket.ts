/**
 * A datagram socket on the I/O thread, UDP or Unix-domain: receives ahead and deals the datagrams among its sharers, sends what they
 * wrote, many datagrams per operation. Mostly there is one sharer, the client that opened it.
 *
 * ```
 *   open ──last sharer gone, and not kept──► closing ──CLOSE released──► released
 *
 *   receiving:  idle ──arm──► into the only sharer's buffers ──another joins: cancelled──┐
 *                │ ▲                                                                     │
 *                │ └──released: limit, no buffer, cancelled──────────────────────────────┤
 *                └──arm──► in transit: each datagram is dealt by a copy ──one is left: cancelled
 *                             └──an error that stays──► failed: told once, receives no more
 * ```
 *
 * Nothing received is dropped here, but with the last sharer. When there is no room for it, the kernel holds what comes, and drops, and
 * counts, what finds its buffer full.
 *
 * A datagram goes to the eligible sharer that has the fewest unread, round robin on ties: so whoever stalls is passed over as soon as it is
 * behind. What a sharer has not read when it closes or ends goes to the others, before what comes then.
 */
import { HEADER_BYTES } from '../../protocol/datagram.js';
import { CloseMode, PortOpcode } from '../../protocol/port-records.js';
import type { BufferHolder, ReceivePool } from '../buffers/receive-pool.js';
import { Transit } from '../buffers/transit.js';
import type { Session } from '../clients/session.js';
import type { Completion, EndpointOwner } from '../loop/port.js';
import type { Selector } from '../loop/selector.js';
import { DatagramSharer } from './datagram-sharer.js';
import { Dealer } from './dealer.js';
import { ECANCELED, ENOBUFS } from './errnos.js';
import type { Keepable } from './kept.js';

/** The receive in flight. */
interface Receiving {
  readonly pool: ReceivePool;
  /** Into whose buffers; undefined: in transit. */
  readonly sharer: DatagramSharer | undefined;
  cancelled: boolean;
}

/** A datagram, header included: in transit, or a copy of what a sharer had. */
interface Waiting {
  readonly datagram: Uint8Array;
  /** Of its buffer in transit. */
  readonly name: number | undefined;
}

export class DatagramSocket implements EndpointOwner, BufferHolder, Keepable {
  /** Of those in transit. */
  heldBuffers = 0;
  copiedBuffers = 0;
  readonly #selector: Selector;
  readonly #endpoint: number;
  readonly #name: string;
  readonly #dealer = new Dealer<DatagramSharer>();
  #receiving: Receiving | undefined;
  #transit: Transit | undefined;
  /** Dealt at the end of taking submissions: only then it is known how far behind each sharer is. Or there is nobody who takes them now. */
  #waiting: Waiting[] = [];
  #failure = 0;
  #flushQueued = false;
  #sending: DatagramSharer | undefined;
  /** Whose sends come next. */
  #nextSender = 0;
  /** Closed, while the kernel may use their clients' memory. */
  readonly #leaving = new Set<DatagramSharer>();
  /** How many clients it moved away from that have no heir yet. */
  #keeps = 0;
  #closing = false;

  /** `name`: see {@link sharedName}. Its first sharer is to join at once. */
  constructor(selector: Selector, name: string, fd: number) {
    this.#selector = selector;
    this.#endpoint = selector.port.adopt(fd, this);
    this.#name = name;
    selector.shareable.set(name, this);
  }

  join(session: Session, slot: number, generation: number): DatagramSharer {
    const sharer = new DatagramSharer(this, session, slot, generation);
    this.#dealer.add(sharer);
    if (this.#failure !== 0) sharer.fail(this.#failure);
    this.changed();
    return sharer;
  }

  // -- receiving -------------------------------------------------------------------------------------

  /** A sharer came, closed, has another interest or room again. */
  changed(): void {
    if (this.#closing) return;
    const { sharers } = this.#dealer;
    // What waits comes first: until it is dealt, nothing is received where it would overtake it.
    const only = sharers.length === 1 && this.#waiting.length === 0 ? sharers[0] : undefined;
    const wanted = this.#failure === 0 && sharers.some(({ wantsData }) => wantsData);
    if (this.#waiting.length > 0 && wanted) this.flushLater();
    if (wanted && !this.#receiving) this.#arm(only);
    else if (this.#receiving && (!wanted || this.#receiving.sharer !== only)) this.#cancel(this.#receiving);
  }

  /** As {@link changed}: a buffer in transit came back. */
  arm(): void {
    this.changed();
  }

  /** A sharer had not read these, and will not. */
  returned(datagrams: readonly Uint8Array[]): void {
    if (!this.#isWanted) return;
    this.#waiting = [...datagrams.map((datagram) => ({ datagram, name: undefined })), ...this.#waiting];
    this.changed();
  }

  completed(opcode: number, completion: Completion): void {
    switch (opcode) {
      case PortOpcode.RECEIVE_FROM:
        return this.#received(completion);
      case PortOpcode.SEND_TO:
        return this.#sent(completion.result);
      case PortOpcode.CLOSE:
        return this.#closed();
    }
  }

  #arm(only: DatagramSharer | undefined): void {
    const pool = only ? only.session.needDatagramPool() : this.#needTransit()?.pool;
    const holder = only ?? this;
    if (!pool) return this.#fail(ENOBUFS);
    if (pool.allowance(holder) <= 0) return;
    const offer = pool.offer(holder);
    if (!offer) return;
    this.#receiving = { pool, sharer: only, cancelled: false };
    this.#selector.port.receiveFrom(this.#endpoint, offer.group, offer.limit);
  }

  #cancel(receiving: Receiving): void {
    if (receiving.cancelled) return;
    receiving.cancelled = true;
    this.#selector.port.cancel(this.#endpoint, PortOpcode.RECEIVE_FROM);
  }

  #needTransit(): Transit | undefined {
    const { bufferSize, bufferCount } = this.#selector.datagramBuffers;
    this.#transit ??= Transit.of(this.#selector.port, bufferSize, bufferCount);
    return this.#transit;
  }

  #received({ result, more, segment, index }: Completion): void {
    const receiving = this.#receiving as Receiving;
    if (!more) this.#receiving = undefined;
    if (result >= 0 && segment >= 0) this.#datagram(receiving, segment, index, result);
    else if (more) this.#tell(result);
    else if (result !== ECANCELED && result !== ENOBUFS) this.#fail(result);
    if (more) return;
    if (receiving.sharer) this.#settle(receiving.sharer);
    // Others took the buffers of its group: arming finds it another one, or lets it wait.
    this.changed();
  }

  #datagram({ pool, sharer }: Receiving, segment: number, index: number, length: number): void {
    this.#selector.counters.bytesReceived += length;
    const name = pool.filled(segment, index, HEADER_BYTES + length, sharer ?? this);
    if (sharer?.isOpen) return sharer.tell(name, length);
    const datagram = pool.bytes(name);
    if (sharer) {
      // It has gone, and perhaps another come: what lies in its memory does not stay there.
      this.#waiting.push({ datagram: datagram.slice(), name: undefined });
      pool.recycle(name, false);
    } else {
      this.#waiting.push({ datagram, name });
    }
    this.flushLater();
  }

  #dealWaiting(): void {
    const waiting = this.#waiting;
    let dealt = 0;
    while (dealt < waiting.length && this.#deal((waiting[dealt] as Waiting).datagram)) dealt++;
    if (dealt === 0) return;
    this.#waiting = waiting.slice(dealt);
    for (let at = 0; at < dealt; at++) this.#forget(waiting[at] as Waiting);
    this.changed();
  }

  #forget({ name }: Waiting): void {
    if (name !== undefined) this.#transit?.pool.recycle(name, false);
  }

  #dropWaiting(): void {
    for (const waiting of this.#waiting.splice(0)) this.#forget(waiting);
  }

  /** False: nobody takes it now. */
  #deal(datagram: Uint8Array): boolean {
    // Whoever has no buffer for it is not eligible from then on.
    for (let sharer = this.#dealer.next(); sharer; sharer = this.#dealer.next()) if (sharer.give(datagram)) return true;
    return false;
  }

  #fail(errno: number): void {
    this.#failure = errno;
    this.#tell(errno);
  }

  /** Of receiving, or of nobody knows whose send. */
  #tell(errno: number): void {
    for (const sharer of this.#dealer.sharers) sharer.fail(errno);
  }

  // -- sending ---------------------------------------------------------------------------------------

  flushLater(): void {
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    this.#selector.flushLater(this);
  }

  /** Deals what has come, and sends what the next sharer has unsent, up to the pieces that one operation takes. Called once per turn. */
  flush(): void {
    this.#flushQueued = false;
    if (this.#closing) return;
    if (this.#waiting.length > 0) this.#dealWaiting();
    this.#sendNext();
  }

  #sendNext(): void {
    if (this.#sending || this.#closing) return;
    // What was written before a move goes before what is written after it.
    const moving = this.#dealer.sharers.find(({ sendsFirst }) => sendsFirst);
    const sharers = moving ? [moving] : this.#dealer.sharers;
    for (let turn = 0; turn < sharers.length; turn++) {
      const at = (this.#nextSender + turn) % sharers.length;
      const sharer = sharers[at] as DatagramSharer;
      if (!sharer.beginSend(this.#endpoint)) continue;
      this.#sending = sharer;
      this.#nextSender = at + 1;
      return;
    }
  }

  isSendingFor(sharer: DatagramSharer): boolean {
    return this.#sending === sharer;
  }

  #sent(result: number): void {
    const sharer = this.#sending as DatagramSharer;
    this.#sending = undefined;
    if (this.#closing) return;
    sharer.sent(result);
    this.#settle(sharer);
    this.#sendNext();
  }

  // -- the end ---------------------------------------------------------------------------------------

  /** A sharer closed, and flushes. */
  closed(): void {
    if (this.#isWanted) return this.changed();
    this.#selector.shareable.delete(this.#name);
    this.#dropWaiting();
    this.changed();
  }

  /** A sharer has nothing more to send. The socket closes with the last. */
  left(sharer: DatagramSharer): void {
    this.#dealer.remove(sharer);
    this.#leaving.add(sharer);
    if (this.#dealer.sharers.length === 0 && this.#keeps === 0) return this.#close();
    if (this.#sending === sharer) this.#selector.port.cancel(this.#endpoint, PortOpcode.SEND_TO);
    if (this.#receiving?.sharer === sharer) this.#cancel(this.#receiving);
    this.#settle(sharer);
    this.closed();
  }

  /** Without a sharer it waits for one: what had come and was not read waits here, the rest in the kernel. */
  keep(): void {
    this.#keeps++;
  }

  letGo(): void {
    this.#keeps--;
    if (this.#keeps > 0) return;
    if (this.#dealer.sharers.length > 0) return this.closed();
    this.#selector.kept.ends(this);
    this.#close();
  }

  /** Whether anybody will read what comes. */
  get #isWanted(): boolean {
    return this.#keeps > 0 || this.#dealer.sharers.some(({ isOpen }) => isOpen);
  }

  #close(): void {
    this.#closing = true;
    this.#selector.shareable.delete(this.#name);
    this.#dropWaiting();
    // There is no difference between the modes: what the kernel has taken it sends.
    this.#selector.port.close(this.#endpoint, CloseMode.RESET);
  }

  /** Lets a sharer go that has left, once the kernel uses nothing of its memory. */
  #settle(sharer: DatagramSharer): void {
    if (this.#closing || this.#sending === sharer || this.#receiving?.sharer === sharer) return;
    if (this.#leaving.delete(sharer)) sharer.released();
  }

  #closed(): void {
    this.#selector.descriptorClosed();
    this.#selector.kept.ended(this);
    for (const sharer of this.#leaving) sharer.released();
    const transit = this.#transit;
    if (transit) this.#selector.retire(() => transit.release());
  }
}
