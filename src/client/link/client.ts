/**
 * One thread's tie to one I/O thread: the client's end of the rings and of both wake protocols. All Polls and
 * sources of the thread that belong to that I/O thread share it.
 *
 * Whoever drains the event ring (a blocking poll, a wait, the doorbell) files every event under its source, and so
 * under every Poll concerned.
 */
import type { BroadcastChannel } from 'node:worker_threads';
import { Claims } from '../../atomics/claim.js';
import { CLOSED, lent, offerDescriptor, ownerWord } from '../../atomics/ownership.js';
import { clearReadiness } from '../../atomics/readiness.js';
import { RingConsumer } from '../../atomics/ring.js';
import type { SideportError } from '../../errors.js';
import type { Addon, Descriptor, ThreadLink } from '../../native.js';
import { eventRingBase, Header } from '../../protocol/client-memory.js';
import type { AttachAnswer, ClientLimits } from '../../protocol/control.js';
import { EVENT_WORDS, EventKind, eventKind, eventSlot } from '../../protocol/events.js';
import { CloseMode, WakeReason } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import { ReceivedData } from '../buffers/received-data.js';
import { Segments } from '../buffers/segments.js';
import { SendPool } from '../buffers/send-pool.js';
import { Announcements } from './announcements.js';
import { DeferredSources } from './deferred.js';
import { Life } from './life.js';
import { Posts } from './posts.js';
import { Roomless } from './roomless.js';
import { Signals } from './signals.js';
import { type SlotName, type SlotOwner, Slots } from './slots.js';
import { SubmissionQueue } from './submission-queue.js';
import { Waits } from './waits.js';

type Attached = Extract<AttachAnswer, { kind: 'attached' }>;

export class Client {
  readonly portId: number;
  readonly words: Int32Array;
  readonly claims: Claims;
  /** The same memory, for what is not made of words. */
  readonly bytes: Uint8Array;
  readonly limits: ClientLimits;
  readonly sendPool: SendPool;
  readonly received: ReceivedData;
  /** Datagrams: never copied out of their buffers, which are of another pool. */
  readonly datagrams: ReceivedData;
  /** For synchronous socket calls and doorbells. */
  readonly addon: Addon;
  readonly waits: Waits;
  readonly #life: Life;
  readonly #link: ThreadLink;
  readonly #submissions: SubmissionQueue;
  readonly #events: RingConsumer;
  readonly #slots: Slots;
  readonly #announcements: Announcements;
  /** Streams and datagram sockets without room to write: asked when sends complete. */
  readonly roomless: Roomless;
  /** Listeners without slots to lend: asked whenever a slot comes back. */
  readonly creditless = new DeferredSources();
  readonly signals: Signals;
  readonly #posts = new Posts();
  #draining = false;

  /** `announcements`: the channel on which they come. `onGone` is called once the port is closed. */
  constructor(
    addon: Addon,
    link: ThreadLink,
    portId: number,
    attached: Attached,
    announcements: BroadcastChannel,
    onGone: () => void,
  ) {
    this.addon = addon;
    this.#link = link;
    this.portId = portId;
    this.limits = attached.limits;
    this.words = new Int32Array(attached.memory);
    this.claims = new Claims(this.words);
    // Sends that completed before the wish rang no bell, and the doorbell may be up since before it.
    this.roomless = new Roomless(this.words, () => {
      if (this.waits.pending && this.hasNews()) this.waits.scheduleSettle();
    });
    this.bytes = new Uint8Array(attached.memory);
    this.waits = new Waits(this.words, link, this);
    this.#life = new Life(this.words, link, this.waits.holds, {
      lastDrain: () => this.drain(),
      ended: (error) => this.#ended(error),
      gone: onGone,
    });
    const { geometry, segments } = attached;
    const ioHeader = new Int32Array(attached.ioHeader);
    this.#submissions = new SubmissionQueue(this.words, ioHeader, geometry, link, () => {
      this.probe();
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

  /** As far as this thread has noticed. */
  get isAlive(): boolean {
    return !this.#life.hasEnded;
  }

  /** Looks whether the I/O thread lives; costs a native call. */
  probe(): boolean {
    this.#life.look();
    return this.isAlive;
  }

  /** @throws ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_DETACHED */
  checkAlive(): void {
    this.#life.check();
  }

  /** As {@link Life.onGone}. */
  onGone(listener: () => void): () => void {
    return this.#life.onGone(listener);
  }

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

  /** Blocks until there is news, for `timeoutMs` at most. It may find the I/O thread gone. */
  block(timeoutMs: number): void {
    this.flushLazily();
    this.waits.block(timeoutMs);
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
    if (this.waits.pending) this.waits.scheduleSettle();
  }

  /** Whether there is something to drain: looks at everything that a ringer publishes. */
  hasNews(): boolean {
    return (
      this.#events.hasEntries() ||
      this.signals.hasNews ||
      this.received.wantsCopies() ||
      this.#life.isDetachedUnnoticed()
    );
  }

  #drainEvents(): void {
    const count = Math.max(0, this.#events.available());
    let freedRoom = false;
    for (let offset = 0; offset < count; offset++) {
      const at = this.#events.at(offset);
      const word = this.words[at] as number;
      const kind = eventKind(word);
      this.#dispatch(kind, eventSlot(word), this.words[at + 1] as number, at);
      if (kind !== EventKind.SENT) continue;
      freedRoom = true;
      this.roomless.sent();
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

  #ended(error: SideportError): void {
    this.#submissions.close();
    for (const owner of this.#slots.owners()) owner.goneWithIoThread();
    this.#posts.clear();
    this.waits.fail(error);
  }
}
