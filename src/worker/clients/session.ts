/**
 * One client thread as the I/O thread sees it: its memory, its two rings, its sources and its buffers.
 *
 * ```
 *   attached ──client ends or detaches──► draining ──every source released──► over (memory let go)
 *      │                                     ▲
 *      └──────────wrote nonsense: detached───┘
 * ```
 *
 * While draining nothing is published any more: nobody reads. Accepted writes are still flushed, under
 * `lingerMs`. The memory is let go only when the last operation of the last source is reaped, because
 * until then the kernel may read or write it.
 */
import { Claims } from '../../atomics/claim.js';
import { ring } from '../../atomics/doorbell.js';
import { setStatus, wantsRoom } from '../../atomics/flag.js';
import { addReadiness, setCarried } from '../../atomics/readiness.js';
import { RingConsumer, RingProducer } from '../../atomics/ring.js';
import { segmentOf } from '../../protocol/buffer-name.js';
import { ClientStatus, eventRingBase, Header, Readiness, submissionRingBase } from '../../protocol/client-memory.js';
import { EVENT_WORDS, EventKind, packEvent } from '../../protocol/events.js';
import { CloseMode } from '../../protocol/port-records.js';
import { SUBMISSION_WORDS } from '../../protocol/submissions.js';
import { BufferWishes } from '../buffers/buffer-wishes.js';
import { DealtBuffers } from '../buffers/dealt-buffers.js';
import { ReceivePool, type ReceivePoolLimits } from '../buffers/receive-pool.js';
import type { Chunk } from '../buffers/receive-segment.js';
import type { Port } from '../loop/port.js';
import type { Selector } from '../loop/selector.js';
import type { Source } from '../sources/source.js';
import type { ClientMemory } from './client-memory.js';
import { SendBuffers } from './send-buffers.js';

/** What is made of a segment for datagrams. */
type DatagramBuffers<Buffers> = new (
  port: Port,
  memory: ClientMemory,
  segment: number,
  limits: ReceivePoolLimits,
  wishes: BufferWishes,
) => Buffers;

export class Session {
  readonly clientId: number;
  readonly selector: Selector;
  readonly words: Int32Array;
  readonly claims: Claims;
  readonly slotCount: number;
  readonly submissions: RingConsumer;
  readonly receivePool: ReceivePool;
  readonly sendBuffers: SendBuffers;
  /** By slot. */
  readonly sources: (Source | undefined)[] = [];
  /** Nothing is published any more. */
  draining = false;
  sourceCount = 0;
  readonly #memory: ClientMemory;
  readonly #wishes: BufferWishes;
  #datagramPool: ReceivePool | undefined;
  #dealtBuffers: DealtBuffers | undefined;
  readonly #events: RingProducer;
  /** Whether the events not yet published are worth a doorbell. */
  #worthRinging = false;
  /** Sends told of as completed. */
  #sends = 0;
  #unpublished = false;
  #over = false;
  /** Its submissions are being taken. */
  taking = false;

  constructor(clientId: number, selector: Selector, memory: ClientMemory) {
    this.clientId = clientId;
    this.selector = selector;
    this.#memory = memory;
    const { words, geometry } = memory;
    this.words = words;
    this.claims = new Claims(words);
    this.slotCount = geometry.slotCount;
    this.submissions = new RingConsumer(
      words,
      Header.SUBMISSION_TAIL,
      Header.SUBMISSION_HEAD,
      submissionRingBase(geometry),
      SUBMISSION_WORDS,
      geometry.submissionCapacity,
    );
    this.#events = new RingProducer(
      words,
      Header.EVENT_TAIL,
      Header.EVENT_HEAD,
      eventRingBase(geometry),
      EVENT_WORDS,
      geometry.eventCapacity,
    );
    this.#wishes = new BufferWishes(words, () => this.ring());
    this.receivePool = new ReceivePool(selector.port, memory, 0, selector.receiveLimits, this.#wishes);
    this.sendBuffers = new SendBuffers(memory);
  }

  /** Buffers for datagrams, small and many; undefined until there is a datagram socket. */
  get datagramPool(): ReceivePool | undefined {
    return this.#datagramPool;
  }

  /** Makes {@link datagramPool} if need be; undefined when there is no memory for it. */
  needDatagramPool(): ReceivePool | undefined {
    this.#datagramPool ??= this.#datagramBuffers(ReceivePool);
    return this.#datagramPool;
  }

  /** Buffers for datagrams of shared sockets; undefined until there is one. */
  get dealtBuffers(): DealtBuffers | undefined {
    return this.#dealtBuffers;
  }

  /** Makes {@link dealtBuffers} if need be; undefined when there is no memory for them. */
  needDealtBuffers(): DealtBuffers | undefined {
    this.#dealtBuffers ??= this.#datagramBuffers(DealtBuffers);
    return this.#dealtBuffers;
  }

  /** A receive buffer comes back. False if the client names one that it does not have. */
  recycle(name: number, copiedOut: boolean): boolean {
    const segment = segmentOf(name);
    if (this.#datagramPool?.has(segment)) return this.#datagramPool.recycle(name, copiedOut);
    if (this.#dealtBuffers?.pool.has(segment)) return this.#dealtBuffers.pool.recycle(name, copiedOut);
    return this.receivePool.recycle(name, copiedOut);
  }

  /** Queues an event; it becomes visible with {@link publish}. */
  push(kind: number, slot: number, generation: number, a = 0, b = 0, worthRinging = kind !== EventKind.SENT): void {
    if (this.draining) return;
    const at = this.#events.reserve();
    // The ring holds all that can be outstanding (protocol/events.ts); only a corrupt head makes it look full.
    if (at < 0) return this.detach();
    this.words[at] = packEvent(kind, slot);
    this.words[at + 1] = generation;
    this.words[at + 2] = a;
    this.words[at + 3] = b;
    this.#events.advance();
    // A completed send is news only to a client that waits for room; the wish is read in publish().
    if (worthRinging) this.#worthRinging = true;
    if (this.#unpublished) return;
    this.#unpublished = true;
    this.selector.unpublished(this);
  }

  /** Adds bits to a slot's readiness word, and tells the client to look. */
  ready(slot: number, generation: number, bits: number, errno = 0): void {
    if (this.draining) return;
    if (addReadiness(this.words, slot, bits, errno)) this.push(EventKind.READY, slot, generation);
  }

  /** How much of what earlier owners wrote is unsent. As with completed sends, news only to a client that waits for room. */
  carried(slot: number, generation: number, bytes: number): void {
    if (this.draining || !setCarried(this.words, slot, bytes)) return;
    if (addReadiness(this.words, slot, Readiness.CARRIED)) this.push(EventKind.READY, slot, generation, 0, 0, false);
  }

  /** What came while the stream moved here. */
  late(slot: number, generation: number, chunks: readonly Chunk[]): void {
    if (this.draining) return;
    this.#memory.announceLate(slot, generation, chunks);
    this.push(EventKind.LATE, slot, generation);
  }

  /** Hands all queued events over and rings the client if it sleeps. */
  publish(): void {
    this.#unpublished = false;
    if (this.draining || !this.#events.publish()) return;
    if (!this.#worthRinging && !wantsRoom(this.words, this.#sends)) return;
    this.#worthRinging = false;
    this.ring();
  }

  ring(): void {
    if (ring(this.words, this.selector.addon, this.clientId)) this.selector.counters.doorbells++;
  }

  /** A send buffer goes back, with the errno that ended sending, or 0. */
  sent(slot: number, generation: number, name: number, errno: number): void {
    this.sendBuffers.giveBack(name);
    this.#sends = (this.#sends + 1) | 0;
    this.push(EventKind.SENT, slot, generation, name, errno);
    if (errno !== 0) this.#worthRinging = true;
  }

  addSource(slot: number, source: Source): void {
    this.sources[slot] = source;
    this.sourceCount++;
  }

  /** The source goes to another client, and leaves `departure` in its place. */
  replaceSource(slot: number, departure: Source): void {
    this.sources[slot] = departure;
  }

  /** Everything of the source is reaped: its slot is the client's again. */
  removeSource(slot: number, generation: number): void {
    this.sources[slot] = undefined;
    this.sourceCount--;
    this.push(EventKind.RELEASED, slot, generation);
    this.#endIfDrained();
  }

  /** The client's thread has ended, or left: flush what it wrote and let everything go. */
  drain(mode: number = CloseMode.FLUSHED): void {
    if (this.draining) return;
    this.draining = true;
    for (const source of this.sources) source?.leave?.();
    for (const source of this.sources) source?.close(mode);
    this.#endIfDrained();
  }

  /** The client wrote what no client writes; nothing of it is trusted any more. */
  detach(): void {
    if (this.draining) return;
    this.selector.counters.clientsDetached++;
    setStatus(this.words, ClientStatus.DETACHED);
    this.ring();
    this.drain(CloseMode.RESET);
  }

  /** The I/O thread ends. */
  gone(): void {
    if (this.draining) return;
    setStatus(this.words, ClientStatus.GONE);
    this.ring();
  }

  /** In a segment of their own; undefined when there is no memory for it. */
  #datagramBuffers<Buffers>(Made: DatagramBuffers<Buffers>): Buffers | undefined {
    const { port, datagramBuffers } = this.selector;
    const { bufferSize, bufferCount, limits } = datagramBuffers;
    const segment = this.#memory.growReceive(bufferSize, bufferCount);
    return segment && new Made(port, this.#memory, segment.number, limits, this.#wishes);
  }

  #endIfDrained(): void {
    if (!this.draining || this.sourceCount > 0 || this.#over) return;
    this.#over = true;
    this.selector.forget(this);
    this.selector.retire(() => {
      this.receivePool.release();
      this.#datagramPool?.release();
      this.#dealtBuffers?.pool.release();
      this.#memory.release();
    });
  }
}
