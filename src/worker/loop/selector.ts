/**
 * The selector: everything that the I/O thread serves, and what its parts share. It translates completions into
 * readiness by handing each to its source's state machine, and publishes what came of it once per turn.
 */
import { copiedBytes } from '../../atomics/flag.js';
import type { Addon } from '../../native.js';
import type { IoThreadConfiguration, IoThreadStats } from '../../protocol/control.js';
import { CloseMode } from '../../protocol/port-records.js';
import { Discards } from '../buffers/discards.js';
import type { ReceivePool, ReceivePoolLimits } from '../buffers/receive-pool.js';
import { ClientMemory } from '../clients/client-memory.js';
import { Session } from '../clients/session.js';
import { takeSubmissions } from '../clients/submissions.js';
import { Kept } from '../sources/kept.js';
import { Linger } from '../sources/linger.js';
import type { Shareable } from '../sources/shareable.js';
import type { TcpListener } from '../sources/tcp-listener.js';
import type { Timer } from '../sources/timer.js';
import { Transfers } from '../sources/transfers.js';
import { Batch } from './batch.js';
import type { EndpointOwner, Port } from './port.js';
import { TimerHeap } from './timer-heap.js';

/** How often a listener that ran out of descriptors tries again by itself. */
const ACCEPT_RETRY_MS = 100;

/** How often pools are asked whether they can give memory back. */
const TRIM_INTERVAL_MS = 250;

/** A stream with something to send at the end of the turn. */
interface Flushable {
  flush(): void;
}

interface Retryable {
  retry(): void;
}

const flush = (stream: Flushable) => stream.flush();
const publish = (session: Session) => session.publish();

const NOBODY: EndpointOwner = { completed() {} };

export class Selector {
  readonly addon: Addon;
  readonly port: Port;
  readonly linger: Linger;
  readonly transfers: Transfers;
  readonly kept: Kept;
  readonly discards: Discards;
  /** What clients may share, by its name. */
  readonly shareable = new Map<string, Shareable>();
  /** Listeners with several sharers: there may be connections to pass on. */
  readonly dealing = new Set<TcpListener>();
  readonly timers = new TimerHeap<Timer>();
  readonly receiveLimits: ReceivePoolLimits;
  readonly datagramBuffers: { bufferSize: number; bufferCount: number; limits: ReceivePoolLimits };
  readonly counters = { turns: 0, sleeps: 0, doorbells: 0, bytesReceived: 0, bytesSent: 0, clientsDetached: 0 };
  readonly #configuration: IoThreadConfiguration;
  readonly #sessions = new Map<number, Session>();
  /** The same, as every turn looks at them. Made anew by a change, so it may change while it is gone through. */
  #everySession: readonly Session[] = [];
  readonly #toPublish = new Batch<Session>();
  readonly #toFlush = new Batch<Flushable>();
  readonly #retired = new Batch<() => void>();
  #acceptRetries: Retryable[] = [];
  #acceptRetryDueMs = 0;
  #trimDueMs = 0;

  constructor(addon: Addon, port: Port, configuration: IoThreadConfiguration) {
    this.addon = addon;
    this.port = port;
    this.#configuration = configuration;
    this.linger = new Linger(configuration.lingerMs);
    this.transfers = new Transfers(this, configuration.transferTimeoutMs);
    this.kept = new Kept(configuration.transferTimeoutMs);
    const { receiveBuffers, maxReceiveBuffers, receiveBufferSize } = configuration;
    this.discards = new Discards(this, receiveBufferSize);
    // A quarter of the pool as it begins: no stream takes it all.
    const quota = Math.max(1, receiveBuffers >> 2);
    this.receiveLimits = { quota, maxBuffers: maxReceiveBuffers, copiesOut: true };
    const { datagramBufferSize, datagramBuffers, maxDatagramBuffers } = configuration;
    this.datagramBuffers = {
      bufferSize: datagramBufferSize,
      bufferCount: datagramBuffers,
      // All of it for a socket whose reader stalls, but the reserve: what finds no buffer is lost in the end.
      limits: { quota: maxDatagramBuffers, maxBuffers: maxDatagramBuffers, copiesOut: false },
    };
  }

  /** Makes the memory of a new client and serves it from now on. */
  attach(clientId: number): ClientMemory {
    const memory = new ClientMemory(clientId, this.port.native, this.#configuration);
    this.#sessions.set(clientId, new Session(clientId, this, memory));
    this.#everySession = [...this.#sessions.values()];
    return memory;
  }

  session(clientId: number): Session | undefined {
    return this.#sessions.get(clientId);
  }

  sessions(): readonly Session[] {
    return this.#everySession;
  }

  forget(session: Session): void {
    this.#sessions.delete(session.clientId);
    this.#everySession = [...this.#sessions.values()];
  }

  /** Calls `release` once the port has taken every record that may still name what it releases. */
  retire(release: () => void): void {
    this.#retired.add(release);
  }

  /** Between a turn, which took the records, and the dispatch, which makes new ones. */
  releaseRetired(): void {
    if (this.#retired.isEmpty || this.port.hasSubmissions()) return;
    this.#retired.workOff((release) => release());
  }

  /**
   * Lets the pools give back what they do not use. Only after a turn without completions: one that has not been dispatched may
   * name a buffer that its pool still takes for unused, with data in it.
   */
  trimPools(): void {
    if (this.port.hasSubmissions()) return;
    const nowMs = this.port.native.clock[0] as number;
    if (nowMs < this.#trimDueMs) return;
    this.#trimDueMs = nowMs + TRIM_INTERVAL_MS;
    for (const { receivePool, datagramPool, dealtBuffers } of this.#everySession) {
      receivePool.trim(nowMs);
      datagramPool?.trim(nowMs);
      dealtBuffers?.pool.trim(nowMs);
    }
  }

  /** Takes what clients submitted; returns how many entries that were. */
  takeSubmissions(): number {
    let taken = 0;
    for (const session of this.#everySession) taken += takeSubmissions(session);
    this.#toFlush.workOff(flush);
    return taken;
  }

  /** A look at every submission ring, for the sleep protocol. */
  hasSubmissions(): boolean {
    for (const session of this.#everySession) if (!session.draining && session.submissions.hasEntries()) return true;
    return false;
  }

  /** At the end of taking submissions; a stream asks once. */
  flushLater(stream: Flushable): void {
    this.#toFlush.add(stream);
  }

  /** It has events to publish; a session says so once. */
  unpublished(session: Session): void {
    this.#toPublish.add(session);
  }

  /** Hands the turn's events over, one index store and at most one doorbell per client. */
  publish(): void {
    this.#toPublish.workOff(publish);
  }

  /** Does what is due by time; returns the milliseconds until it must be called again, at most `limitMs`. */
  runTimers(limitMs: number): number {
    const { linger, transfers, kept, dealing, timers } = this;
    const idle = linger.isEmpty && transfers.size + kept.size + dealing.size === 0 && timers.isEmpty;
    if (idle && this.#acceptRetries.length === 0) return limitMs;
    const nowMs = performance.now();
    linger.expire(nowMs);
    transfers.expire(nowMs);
    kept.expire(nowMs);
    const passOnMs = this.#passOn(nowMs);
    this.#expireTimers(nowMs);
    if (this.#acceptRetries.length > 0 && nowMs >= this.#acceptRetryDueMs) this.#retryAccepts();
    const retryMs = this.#acceptRetries.length > 0 ? Math.ceil(this.#acceptRetryDueMs - nowMs) : limitMs;
    const timerMs = this.timers.first ? Math.ceil(this.timers.first.dueMs - nowMs) : limitMs;
    return Math.min(limitMs, retryMs, timerMs, passOnMs);
  }

  /** The listener is tried again when a descriptor is closed here, or else after 100 ms: it may be closed elsewhere. */
  retryAccept(listener: Retryable): void {
    this.#acceptRetries.push(listener);
    this.#acceptRetryDueMs = performance.now() + ACCEPT_RETRY_MS;
  }

  descriptorClosed(): void {
    if (this.#acceptRetries.length > 0) this.#retryAccepts();
  }

  /** Closes a connection that nobody asked for. */
  discard(fd: number): void {
    this.port.close(this.port.adopt(fd, NOBODY), CloseMode.RESET);
  }

  stats(): IoThreadStats {
    const native = this.port.native;
    const sum = (figure: (session: Session) => number) =>
      this.#everySession.reduce((total, session) => total + figure(session), 0);
    const receiveBuffers = sum(({ receivePool }) => receivePool.bufferCount);
    return {
      backend: native.backend,
      fallbackReason: native.fallbackReason,
      clients: this.#sessions.size,
      sources: sum(({ sourceCount }) => sourceCount),
      streamsInTransfer: this.transfers.size,
      socketsInTransfer: this.kept.size,
      operationsStarted: native.started(),
      operationsReleased: native.released(),
      ...this.counters,
      receiveBuffers,
      receiveBuffersHeld: sum(({ receivePool }) => receivePool.held),
      datagramBuffers: sum(({ datagramPool, dealtBuffers }) =>
        count(datagramPool, dealtBuffers?.pool, ({ bufferCount }) => bufferCount),
      ),
      datagramBuffersHeld: sum(({ datagramPool, dealtBuffers }) =>
        count(datagramPool, dealtBuffers?.pool, ({ held }) => held),
      ),
      receiveBufferBytes: receiveBuffers * this.#configuration.receiveBufferSize,
      copiedBytes: sum(({ words }) => copiedBytes(words)),
      streamsStarved: sum(({ receivePool }) => receivePool.starvedStreams),
      streamsAtQuota: sum(({ receivePool }) => receivePool.streamsAtQuota),
      segmentsGrown: sum(({ receivePool }) => receivePool.counters.segmentsGrown),
      segmentsReturned: sum(({ receivePool }) => receivePool.counters.segmentsReturned),
      quotaOvershoot: sum(({ receivePool }) => receivePool.counters.quotaOvershoot),
    };
  }

  /** Those due now: one that is due again at once has its next turn with everybody else's. */
  #expireTimers(nowMs: number): void {
    for (let timer = this.timers.first; timer && timer.dueMs <= nowMs; timer = this.timers.first) {
      this.timers.remove(timer);
      timer.expire(nowMs);
    }
  }

  #passOn(nowMs: number): number {
    let againMs = Number.POSITIVE_INFINITY;
    for (const listener of this.dealing) {
      againMs = Math.min(againMs, listener.passOn(nowMs, this.#configuration.passOnAfterMs));
    }
    return Math.ceil(againMs);
  }

  #retryAccepts(): void {
    const listeners = this.#acceptRetries;
    this.#acceptRetries = [];
    for (const listener of listeners) listener.retry();
  }
}

/** Over both kinds of datagram buffers. */
function count(
  first: ReceivePool | undefined,
  second: ReceivePool | undefined,
  figure: (pool: ReceivePool) => number,
): number {
  return (first ? figure(first) : 0) + (second ? figure(second) : 0);
}
