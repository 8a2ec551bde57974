/**
 * One thread's tie to one I/O thread: the client's end of the rings and of both wake protocols. All Polls and
 * sources of the thread that belong to that I/O thread share it.
 *
 * Whoever drains the event ring (a blocking poll, a wait, the doorbell) files every event under its source, and so
 * under every Poll concerned. Only the event loop settles waits: a blocking poll never runs
 * another Poll's callbacks.
 */
import { claimRing, Ring, Sleeper } from '../atomics/doorbell.js';
import { status, wantsBuffers, wishForRoom } from '../atomics/flag.js';
import { claimWake } from '../atomics/io-sleep.js';
import { CLOSED, lent, offerDescriptor, ownerWord } from '../atomics/ownership.js';
import { clearReadiness } from '../atomics/readiness.js';
import { RingConsumer, RingProducer } from '../atomics/ring.js';
import { signalCount } from '../atomics/signal.js';
import { fail, type SideportError } from '../errors.js';
import type { Addon, Descriptor, ThreadLink } from '../native.js';
import { ClientStatus, eventRingBase, Header, submissionRingBase } from '../protocol/client-memory.js';
import type { AttachAnswer, ClientLimits } from '../protocol/control.js';
import { EVENT_WORDS, EventKind, eventKind, eventSlot } from '../protocol/events.js';
import { CloseMode, WakeReason } from '../protocol/port-records.js';
import { SUBMISSION_WORDS, Submission } from '../protocol/submissions.js';
import { Hold, Holds } from './holds.js';
import { ReceiveBuffers } from './receive-buffers.js';
import { SendPool } from './send-pool.js';
import { type SlotOwner, Slots } from './slots.js';
import type { SlotName } from './source.js';

/** Blocking waits look this often whether the I/O thread still lives; its death cannot notify a blocked thread. */
const LIVENESS_SLICE_MS = 100;

/** A stream or listener that something on this client must ask again later. */
export interface Deferred {
  /** True when it is satisfied and need not be asked again. */
  retry(): boolean;
}

/** Somebody who listens for signals: an Awakener, or a Poll's interrupt. */
export interface SignalListener {
  /** Some signal of this client was raised; perhaps this one's. */
  look(): void;
}

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
  readonly limits: ClientLimits;
  readonly sendPool: SendPool;
  readonly receiveBuffers: ReceiveBuffers;
  readonly #addon: Addon;
  readonly #link: ThreadLink;
  readonly #ioHeader: Int32Array;
  readonly #submissions: RingProducer;
  readonly #events: RingConsumer;
  readonly #sleeper: Sleeper;
  readonly #slots: Slots;
  readonly #roomless = new Set<Deferred>();
  readonly #creditless = new Set<Deferred>();
  readonly #signalListeners = new Set<SignalListener>();
  readonly #waiters = new Set<Waiter>();
  /** Whoever takes one is called back, and keeps this thread alive unless unref'ed. */
  readonly holds = new Holds(() => this.#relisten());
  readonly #posts = new Map<number, () => void>();
  #nextPost = 1;
  #signalsSeen = 0;
  #end: SideportError | undefined;
  readonly #onGone: () => void;
  /** The port is closed: nothing will come of it any more. Later than `#end` where the I/O thread flushes before it ends. */
  #gone = false;
  readonly #endListeners = new Set<() => void>();
  readonly #endHold = new Hold(this.holds);
  #settleScheduled = false;
  #draining = false;
  #referenced = false;

  /** `onGone` is called once the port is closed. */
  constructor(addon: Addon, link: ThreadLink, portId: number, attached: Attached, onGone: () => void) {
    this.#addon = addon;
    this.#link = link;
    this.#onGone = onGone;
    this.portId = portId;
    this.limits = attached.limits;
    this.words = new Int32Array(attached.memory);
    this.#ioHeader = new Int32Array(attached.ioHeader);
    const { geometry, segments } = attached;
    this.#submissions = new RingProducer(
      this.words,
      Header.SUBMISSION_TAIL,
      Header.SUBMISSION_HEAD,
      submissionRingBase(geometry),
      SUBMISSION_WORDS,
      geometry.submissionCapacity,
    );
    this.#events = new RingConsumer(
      this.words,
      Header.EVENT_TAIL,
      Header.EVENT_HEAD,
      eventRingBase(geometry),
      EVENT_WORDS,
      geometry.eventCapacity,
    );
    this.#sleeper = new Sleeper(this.words);
    this.#slots = new Slots(Math.min(this.limits.maxSources, geometry.slotCount));
    this.sendPool = new SendPool(segments);
    this.receiveBuffers = new ReceiveBuffers(segments);
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
    this.#lookForEnd();
    this.#settleAll();
  };

  /** Wakes the port for the control path. */
  wakeForControl(): void {
    this.#link.wake(WakeReason.CONTROL);
  }

  // -- submissions -----------------------------------------------------------------------------------

  /** Writes a submission; it is the I/O thread's with the next {@link flush}. */
  submit(opcode: number, slot: number, generation: number, a = 0, b = 0, c = 0): void {
    let at = this.#submissions.reserve();
    while (at < 0) {
      // The I/O thread takes submissions whatever its clients do, so this wait is short and cannot deadlock.
      this.flush();
      this.#submissions.waitForConsumer(1);
      this.#lookForEnd();
      this.checkAlive();
      at = this.#submissions.reserve();
    }
    const words = this.words;
    words[at] = opcode;
    words[at + 1] = slot;
    words[at + 2] = generation;
    words[at + 3] = a;
    words[at + 4] = b;
    words[at + 5] = c;
    this.#submissions.advance();
  }

  /** Publishes what was submitted and wakes the I/O thread if it sleeps. */
  flush(): void {
    this.#submissions.publish();
    if (claimWake(this.#ioHeader)) this.#link.wake(WakeReason.SUBMISSION);
  }

  /** Publishes without waking: for what the I/O thread can take whenever it is up. */
  flushLazily(): void {
    this.#submissions.publish();
  }

  /** Gives a receive buffer back. Not worth a wake, unless a stream waits for buffers. */
  recycle(name: number): void {
    if (this.#end !== undefined) return;
    this.submit(Submission.RECYCLE, 0, 0, name);
    this.#submissions.publish();
    if (wantsBuffers(this.words)) this.flush();
  }

  /** A round trip through the I/O thread; `done` runs while this thread drains its event ring. */
  post(done: () => void): void {
    this.checkAlive();
    const ticket = this.#nextPost;
    this.#nextPost = (ticket + 1) & 0x7fff_ffff;
    this.#posts.set(ticket, done);
    this.submit(Submission.POST, 0, 0, ticket);
    this.flush();
  }

  // -- slots -----------------------------------------------------------------------------------------

  /** @throws ERR_SIDEPORT_LIMIT */
  allocate(owner: SlotOwner): SlotName {
    const slot = this.#slots.allocate(owner);
    clearReadiness(this.words, slot);
    return { client: this, slot, generation: this.#slots.generation(slot) };
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
  reset(slot: number, generation: number): void {
    this.submit(Submission.CLOSE, slot, generation, CloseMode.RESET);
    this.flush();
  }

  // -- what waits for something ----------------------------------------------------------------------

  /** The stream found no room: it is asked again whenever a send completes. */
  awaitRoom(stream: Deferred): void {
    if (this.#roomless.size === 0) {
      wishForRoom(this.words, true);
      // Sends that completed before the wish rang no bell, and the doorbell may be up since before it: look again.
      if (this.#waiters.size > 0 && this.#hasNews()) this.scheduleSettle();
    }
    this.#roomless.add(stream);
  }

  forgetRoom(stream: Deferred): void {
    if (this.#roomless.delete(stream) && this.#roomless.size === 0) wishForRoom(this.words, false);
  }

  /** The listener found no slot to lend: it is asked again whenever one comes back. */
  awaitSlots(listener: Deferred): void {
    this.#creditless.add(listener);
  }

  forgetSlots(listener: Deferred): void {
    this.#creditless.delete(listener);
  }

  addSignalListener(listener: SignalListener): void {
    this.#signalListeners.add(listener);
  }

  removeSignalListener(listener: SignalListener): void {
    this.#signalListeners.delete(listener);
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
    this.#submissions.publish();
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
      this.#drainEvents();
    } finally {
      this.#draining = false;
    }
    this.#lookAtSignals();
  }

  /** For a poll, which drains what other Polls' waits may be waiting for, and settles none of them itself. */
  drainForPoll(): void {
    this.drain();
    if (this.#waiters.size > 0) this.scheduleSettle();
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
    if (freedRoom) this.#askAgain(this.#roomless, () => wishForRoom(this.words, false));
  }

  #dispatch(kind: number, slot: number, generation: number, at: number): void {
    const a = this.words[at + 2] as number;
    const b = this.words[at + 3] as number;
    if (kind === EventKind.SENT) this.sendPool.release(a);
    if (kind === EventKind.POSTED) return this.#posted(a);
    const owner = this.#slots.owner(slot, generation);
    if (kind === EventKind.RELEASED) return this.#released(slot, owner);
    if (owner) owner.dispatch(kind, kind === EventKind.ACCEPTED ? slot : a, b);
    else if (kind === EventKind.DATA) this.recycle(a);
  }

  #released(slot: number, owner: SlotOwner | undefined): void {
    owner?.released();
    this.#slots.release(slot);
    if (this.#creditless.size > 0) this.#askAgain(this.#creditless);
  }

  #posted(ticket: number): void {
    const done = this.#posts.get(ticket);
    this.#posts.delete(ticket);
    done?.();
  }

  #askAgain(waiting: Set<Deferred>, whenEmpty?: () => void): void {
    for (const deferred of waiting) if (deferred.retry()) waiting.delete(deferred);
    if (waiting.size === 0) whenEmpty?.();
  }

  #hasNews(): boolean {
    return this.#events.hasEntries() || signalCount(this.words) !== this.#signalsSeen || this.#isDetached();
  }

  /** News as well: a thread thrown out between the raising of its flag and its sleep would wait for a bell that has rung. */
  #isDetached(): boolean {
    return this.#end === undefined && status(this.words) === ClientStatus.DETACHED;
  }

  #lookAtSignals(): void {
    const count = signalCount(this.words);
    if (count === this.#signalsSeen) return;
    this.#signalsSeen = count;
    for (const listener of this.#signalListeners) listener.look();
  }

  #tellEnded(): void {
    const listeners = [...this.#endListeners];
    this.#endListeners.clear();
    this.#endHold.drop();
    for (const listener of listeners) listener();
  }

  #settleAll(): void {
    // Detached while no bell was up, so no doorbell comes to tell; being news, it would bring us back here for ever.
    if (this.#isDetached()) this.#lookForEnd();
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
    for (const owner of this.#slots.owners()) owner.goneWithIoThread();
    this.#posts.clear();
    const waiters = [...this.#waiters];
    this.#sleeper.stopListening();
    // Never inside a blocking poll's call: the waits' continuations run on the event loop.
    for (const waiter of waiters) waiter.fail(error);
  }

  // -- other threads ---------------------------------------------------------------------------------

  /**
   * Rings another client of any I/O thread, after a signal to it was raised. V8 terminates a thread at function entries and
   * loop edges only: never between the swap, `claimRing`'s last act, and the native call.
   */
  static ring(addon: Addon, words: Int32Array, clientId: number): void {
    if (claimRing(words) === Ring.DOORBELL) addon.ringDoorbell(clientId);
  }

  /** The addon, for synchronous socket calls and doorbells. */
  get addon(): Addon {
    return this.#addon;
  }
}
