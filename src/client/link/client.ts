/**
 * One thread's tie to one I/O thread: the client's end of the rings and of both wake protocols. All Polls and
 * sources of the thread that belong to that I/O thread share it.
 *
 * Whoever drains the event ring (a blocking poll, a wait, the doorbell) files every event under its source, and so
 * under every Poll concerned. Only the event loop settles waits: a blocking poll never runs
 * another Poll's callbacks.
 */
import type { BroadcastChannel } from 'node:worker_threads';
import { Sleeper } from '../../atomics/doorbell.js';
import { status, wishForRoom } from '../../atomics/flag.js';
import { CLOSED, lent, offerDescriptor, ownerWord } from '../../atomics/ownership.js';
import { clearReadiness } from '../../atomics/readiness.js';
import { RingConsumer } from '../../atomics/ring.js';
import { fail, type SideportError } from '../../errors.js';
import type { Addon, Descriptor, ThreadLink } from '../../native.js';
import { ClientStatus, eventRingBase, Header } from '../../protocol/client-memory.js';
import type { AttachAnswer, ClientLimits } from '../../protocol/control.js';
import { EVENT_WORDS, EventKind, eventKind, eventSlot } from '../../protocol/events.js';
import { CloseMode, WakeReason } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import { ReceivedData } from '../buffers/received-data.js';
import { Segments } from '../buffers/segments.js';
import { SendPool } from '../buffers/send-pool.js';
import { Announcements } from './announcements.js';
import { DeferredSources } from './deferred.js';
import { Hold, Holds } from './holds.js';
import { Posts } from './posts.js';
import { Signals } from './signals.js';
import { type SlotName, type SlotOwner, Slots } from './slots.js';
import { SubmissionQueue } from './submission-queue.js';

/** Blocking waits look this often whether the I/O thread still lives; its death cannot notify a blocked thread. */
const LIVENESS_SLICE_MS = 100;

/** A Poll, as far as its client is concerned. */
export interface Waiter {
  /** Taken while it waits. */
  readonly hold: Hold;
  /** Settles a pending wait if there is something to settle it with. */
  settle(): void;
  /** The I/O thread is gone, or has detached this thread. */
  fail(error: SideportError): void;
}

type Attached = Extract<AttachAnswer, { kind: 'attached' }>;

export class Client {
  readonly portId: number;
  readonly words: Int32Array;
  /** The same memory, for what is not made of words. */
  readonly bytes: Uint8Array;
  readonly limits: ClientLimits;
  readonly sendPool: SendPool;
  readonly received: ReceivedData;
  /** Datagrams: never copied out of their buffers, which are of another pool. */
  readonly datagrams: ReceivedData;
  readonly #addon: Addon;
  readonly #link: ThreadLink;
  readonly #ioHeader: Int32Array;
  readonly #submissions: SubmissionQueue;
  readonly #events: RingConsumer;
  readonly #sleeper: Sleeper;
  readonly #slots: Slots;
  readonly #announcements: Announcements;
  /** Streams and datagram sockets without room to write: asked whenever a send completes. */
  readonly roomless = new DeferredSources(
    () => this.#wishForRoom(),
    () => wishForRoom(this.words, false),
  );
  /** Listeners without slots to lend: asked whenever a slot comes back. */
  readonly creditless = new DeferredSources();
  readonly signals: Signals;
  readonly #waiters = new Set<Waiter>();
  /** Whoever takes one is called back, and keeps this thread alive unless unref'ed. */
  readonly holds = new Holds(() => this.#relisten());
  readonly #posts = new Posts();
  #end: SideportError | undefined;
  readonly #onGone: () => void;
  /** The port is closed: nothing will come of it any more. Later than `#end` where the I/O thread flushes before it ends. */
  #gone = false;
  readonly #endListeners = new Set<() => void>();
  readonly #endHold = new Hold(this.holds);
  #settleScheduled = false;
  #draining = false;
  #referenced = false;

  /** `announcements`: the channel on which they come. `onGone` is called once the port is closed. */
  constructor(
    addon: Addon,
    link: ThreadLink,
    portId: number,
    attached: Attached,
    announcements: BroadcastChannel,
    onGone: () => void,
  ) {
    this.#addon = addon;
    this.#link = link;
    this.#onGone = onGone;
    this.portId = portId;
    this.limits = attached.limits;
    this.words = new Int32Array(attached.memory);
    this.bytes = new Uint8Array(attached.memory);
    this.#ioHeader = new Int32Array(attached.ioHeader);
    const { geometry, segments } = attached;
    this.#submissions = new SubmissionQueue(this.words, this.#ioHeader, geometry, link, () => {
      this.#lookForEnd();
      this.checkAlive();
    });
    this.#events = new RingConsumer(
      this.words,
      Header.EVENT_TAIL,
      Header.EVENT_HEAD,
      eventRingBase(geometry),
      EVENT_WORDS,
      geometry.eventCapacity,
    );
    this.#sleeper = new Sleeper(this.words);
    this.signals = new Signals(this.words);
    this.#slots = new Slots(Math.min(this.limits.maxSources, geometry.slotCount));
    this.sendPool = new SendPool(this.words, geometry, segments);
    const { maxUnreadBytes } = this.limits;
    this.#announcements = new Announcements(segments, announcements);
    const allSegments = new Segments(this.#announcements);
    this.received = new ReceivedData(this.words, allSegments, this.#submissions, maxUnreadBytes);
    this.datagrams = new ReceivedData(this.words, allSegments, this.#submissions, 0);
  }

  // -- life ------------------------------------------------------------------------------------------

  get clientId(): number {
    return this.#link.clientId;
  }

  /** The I/O thread's shared words, for whoever asks it to stop. */
  get ioHeader(): Int32Array {
    return this.#ioHeader;
  }

  /** As far as this thread has noticed. */
  get isAlive(): boolean {
    return this.#end === undefined;
  }

  /** Looks whether the I/O thread lives; costs a native call. */
  probe(): boolean {
    this.#lookForEnd();
    return this.isAlive;
  }

  /** @throws ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_DETACHED */
  checkAlive(): void {
    if (this.#end === undefined && status(this.words) !== ClientStatus.ATTACHED) this.#lookForEnd();
    if (this.#end !== undefined) throw fail(this.#end.code);
  }

  /**
   * `listener` is called once the I/O thread has ended; until then, or until the returned function is called, this
   * thread stays alive for it.
   */
  onEnd(listener: () => void): () => void {
    this.#lookForEnd();
    if (this.#gone) {
      listener();
      return () => {};
    }
    this.#endListeners.add(listener);
    this.#endHold.take();
    return () => {
      if (this.#endListeners.delete(listener) && this.#endListeners.size === 0) this.#endHold.drop();
    };
  }

  /** The doorbell: runs on this thread's event loop. */
  readonly doorbell = (): void => {
    this.#sleeper.calledBack();
    this.#settleAll();
  };

  /** Wakes the port for the control path. */
  wakeForControl(): void {
    this.#link.wake(WakeReason.CONTROL);
  }

  // -- submissions -----------------------------------------------------------------------------------

  /** Writes a submission; it is the I/O thread's with the next {@link flush}. */
  submit(opcode: number, slot: number, generation: number, a = 0, b = 0, c = 0): void {
    this.#submissions.submit(opcode, slot, generation, a, b, c);
  }

  /** Publishes what was submitted and wakes the I/O thread if it sleeps. */
  flush(): void {
    this.#submissions.flush();
  }

  /** Publishes without waking: for what the I/O thread can take whenever it is up. */
  flushLazily(): void {
    this.#submissions.flushLazily();
  }

  /** Gives back a receive buffer whose data nobody wants. */
  recycle(name: number): void {
    this.submit(Submission.RECYCLE, 0, 0, name);
    this.#submissions.recycled();
  }

  /** A round trip through the I/O thread; `done` runs while this thread drains its event ring. */
  post(done: () => void): void {
    this.checkAlive();
    this.submit(Submission.POST, 0, 0, this.#posts.add(done));
    this.flush();
  }

  // -- slots -----------------------------------------------------------------------------------------

  /** @throws ERR_SIDEPORT_LIMIT */
  allocate(owner: SlotOwner): number {
    const slot = this.#slots.allocate(owner);
    clearReadiness(this.words, slot);
    return slot;
  }

  /** Takes back a slot that the I/O thread never heard of. */
  forsake(slot: number): void {
    this.#slots.release(slot);
  }

  generation(slot: number): number {
    return this.#slots.generation(slot);
  }

  get slotsAvailable(): number {
    return this.#slots.available;
  }

  transfer(name: SlotName, owner: SlotOwner): void {
    this.#slots.transfer(name.slot, owner);
  }

  /** Offers a descriptor to the I/O thread; whoever swaps the owner word first closes it (atomics/ownership.ts). */
  lend(descriptor: Descriptor, { slot, generation }: SlotName): void {
    offerDescriptor(this.words, slot, generation);
    descriptor.lend(this.words, ownerWord(slot), lent(generation), CLOSED);
  }

  /** Closes a connection that nobody here wants. */
  reset({ slot, generation }: SlotName): void {
    this.submit(Submission.CLOSE, slot, generation, CloseMode.RESET);
    this.flush();
  }

  // -- sleeping and draining -------------------------------------------------------------------------

  /** A wait is pending: the doorbell settles it. */
  addWaiter(waiter: Waiter): void {
    this.#waiters.add(waiter);
    waiter.hold.take();
  }

  removeWaiter(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    waiter.hold.drop();
  }

  /** Settles pending waits on the event loop's next turn: somebody else drained what they wait for. */
  scheduleSettle(): void {
    if (this.#settleScheduled) return;
    this.#settleScheduled = true;
    setImmediate(() => {
      this.#settleScheduled = false;
      this.#settleAll();
    });
  }

  /** Blocks until there is news, for `timeoutMs` at most. @throws ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_DETACHED */
  block(timeoutMs: number): void {
    this.flushLazily();
    this.#sleeper.block(Math.min(timeoutMs, LIVENESS_SLICE_MS), () => this.#hasNews());
    this.#lookForEnd();
    // The doorbell was lowered for this: whoever waits on the event loop must raise it again.
    if (this.holds.taken) this.scheduleSettle();
  }

  /** Files every event that has arrived under its source, and looks at signals. */
  drain(): void {
    // A full submission ring, met while dispatching, may find the I/O thread gone and come back here.
    if (this.#draining) return;
    this.#draining = true;
    try {
      this.received.beginDrain();
      this.#drainEvents();
      this.received.copyOut();
    } finally {
      this.#draining = false;
    }
    this.signals.look();
  }

  /** For a poll, which drains what other Polls' waits may be waiting for, and settles none of them itself. */
  drainForPoll(): void {
    this.drain();
    if (this.#waiters.size > 0) this.scheduleSettle();
  }

  #wishForRoom(): void {
    wishForRoom(this.words, true);
    // Sends that completed before the wish rang no bell, and the doorbell may be up since before it: look again.
    if (this.#waiters.size > 0 && this.#hasNews()) this.scheduleSettle();
  }

  #drainEvents(): void {
    const count = Math.max(0, this.#events.available());
    let freedRoom = false;
    for (let offset = 0; offset < count; offset++) {
      const at = this.#events.at(offset);
      const word = this.words[at] as number;
      const kind = eventKind(word);
      freedRoom ||= kind === EventKind.SENT;
      this.#dispatch(kind, eventSlot(word), this.words[at + 1] as number, at);
    }
    this.#events.release(count);
    if (freedRoom) this.roomless.askAgain();
  }

  #dispatch(kind: number, slot: number, generation: number, at: number): void {
    const a = this.words[at + 2] as number;
    const b = this.words[at + 3] as number;
    if (kind === EventKind.POSTED) return this.#posts.returned(a);
    const owner = this.#slots.owner(slot, generation);
    if (kind === EventKind.RELEASED) return this.#released(slot, owner);
    if (kind === EventKind.LATE) return owner?.late?.(this.#announcements.takeLate({ slot, generation }));
    owner?.dispatch(kind, kind === EventKind.ACCEPTED ? slot : a, b);
    // After its stream has unlinked it.
    if (kind === EventKind.SENT) this.sendPool.release(a);
    else if (kind === EventKind.DATA && !owner) this.recycle(a);
  }

  #released(slot: number, owner: SlotOwner | undefined): void {
    owner?.released();
    this.#slots.release(slot);
    this.creditless.askAgain();
  }

  #hasNews(): boolean {
    return this.#events.hasEntries() || this.signals.hasNews || this.received.wantsCopies() || this.#isDetached();
  }

  /** News as well: a thread thrown out between the raising of its flag and its sleep would wait for a bell that has rung. */
  #isDetached(): boolean {
    return this.#end === undefined && status(this.words) === ClientStatus.DETACHED;
  }

  #tellEnded(): void {
    const listeners = [...this.#endListeners];
    this.#endListeners.clear();
    this.#endHold.drop();
    for (const listener of listeners) listener();
  }

  #settleAll(): void {
    // Whoever schedules this may have seen that this thread was detached, and would see it for ever.
    this.#lookForEnd();
    this.drain();
    for (const waiter of [...this.#waiters]) waiter.settle();
    this.#relisten();
  }

  /** Keeps the doorbell raised exactly while somebody on the event loop waits, and this thread alive for whoever wants it. */
  #relisten(): void {
    const { taken, referenced } = this.holds;
    if (referenced !== this.#referenced) {
      this.#referenced = referenced;
      if (referenced) this.#link.ref();
      else this.#link.unref();
    }
    if (!taken || this.#end !== undefined) this.#sleeper.stopListening();
    else if (!this.#sleeper.listen(() => this.#hasNews())) this.scheduleSettle();
  }

  /** Has the I/O thread ended, or thrown this thread out? Then everybody who waits is told. */
  #lookForEnd(): void {
    if (this.#gone) return;
    const portIsOpen = this.#link.isAlive();
    if (this.#end === undefined) {
      const now = status(this.words);
      if (now === ClientStatus.DETACHED) this.#finish(fail('ERR_SIDEPORT_DETACHED'));
      else if (now === ClientStatus.GONE || !portIsOpen) this.#finish(fail('ERR_SIDEPORT_IO_THREAD_GONE'));
    }
    if (!portIsOpen) this.#letGo();
  }

  /** Gives back what this thread has of a closed port. A bell that was rung for it may never be heard. */
  #letGo(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#link.detach();
    this.#onGone();
    if (this.#endListeners.size > 0) setImmediate(() => this.#tellEnded());
  }

  #finish(error: SideportError): void {
    this.drain();
    this.#end = error;
    this.#submissions.close();
    for (const owner of this.#slots.owners()) owner.goneWithIoThread();
    this.#posts.clear();
    const waiters = [...this.#waiters];
    this.#sleeper.stopListening();
    // Never inside a blocking poll's call: the waits' continuations run on the event loop.
    for (const waiter of waiters) waiter.fail(error);
  }

  /** The addon, for synchronous socket calls and doorbells. */
  get addon(): Addon {
    return this.#addon;
  }
}
