/**
 * Moving a live stream from one client to another: the name that travels, and who owns what meanwhile.
 *
 * ```
 *  client A                    I/O thread                                    client B
 *  detach(): drains its ring,
 *  copies what is unread into
 *  the name, CLAIM := pending,
 *  DETACH_STREAM ────────────► receiving on A's buffers is cancelled;
 *  the name ──────────────────── any message ──────────────────────────────► attach(): slot, CLAIM: pending -> B,
 *                              what A has not seen is copied (LATE) ◄──────── ATTACH_STREAM
 *                              the receive is released: *arrived*
 *                              LATE, then what A did not see of END,
 *                              CONNECTED and failures ──────────────────────► goes on mid-stream
 *                              receives on B's buffers
 *                              A's accepted writes are sent from A's
 *                              buffers, before B's (CARRIED) ───────────────► counts them against its water marks
 *  RELEASED ◄───────────────── A's last buffer is back, and the name is
 *  slot is A's again           attached or has expired
 * ```
 *
 * Who owns what:
 *
 * | thing                      | before     | DETACH taken .. arrived            | after                        |
 * |----------------------------|------------|------------------------------------|------------------------------|
 * | descriptor, endpoint       | port       | port; A uses the number no more    | port; B may use the number   |
 * | A's slot                   | A          | the I/O thread's *departure*       | A, by RELEASED               |
 * | A's receive buffers        | see RECYCLE| the I/O thread; emptied, given back| A's pool                     |
 * | A's send buffers, accepted | port       | port, until SENT to A              | port, until SENT to A        |
 * | what is unread             | A          | copies: in the name, and LATE      | B                            |
 *
 * Whoever ends, whenever:
 *
 * - A, before it published DETACH_STREAM: the stream ends with A. Nobody has the name yet.
 * - A, after that: nothing is A's but send buffers, and its memory stays until the last of them is sent.
 * - nobody attaches (the name was lost, or its receiver ended): after `transferTimeoutMs` the I/O thread swaps CLAIM to expired and
 *   closes the stream; accepted writes are flushed.
 * - B, between its swap and the publishing of ATTACH_STREAM: CLAIM says that it was B; B is gone; closed likewise.
 * - B, after that: as any owner that ends.
 * - the I/O thread: every descriptor is closed with it.
 *
 * On the I/O thread a stream is one state machine throughout (worker/sources/tcp-stream.ts); only its owner changes:
 *
 * ```
 *   owned by A ──DETACH──► homeless ──ATTACH──► owned by B, in transit ──receive released──► owned by B
 *                             │ (a receive released here is no step)          │
 *                             │                                               └──DETACH──► homeless
 *                             └── expired, or the I/O thread closes ──► flushing ──► closed
 * ```
 */

import type { SocketAddress } from './address.js';

/**
 * Splitting a stream: two names at once, each of which goes the way above by itself.
 *
 * ```
 *  client A                    I/O thread                                    clients B and C
 *  split(): a second slot,
 *  CLAIM := pending in both,
 *  SPLIT_STREAM ─────────────► the reading half leaves from the stream's slot, as by DETACH_STREAM
 *                              the writing half leaves from the second slot
 *  reader's name ───────────────────────────────────────────────────────────► B: CLAIM of the first slot, ATTACH_STREAM
 *  writer's name ───────────────────────────────────────────────────────────► C: CLAIM of the second slot, ATTACH_STREAM
 *                              receives on B's buffers; sends A's accepted writes (CARRIED: C's marks), then C's
 * ```
 *
 * B's slot, receive buffers and claim are the reader's; C's slot, send buffers and claim the writer's. The endpoint is neither's: it closes when both halves have, or
 * when one resets it. So no half uses the descriptor.
 */

/** What is known of an error that its stream has yet to give. */
export interface ErrorDescription {
  readonly syscall: string;
  readonly errno: number;
  readonly remote: { readonly address: string; readonly port: number } | undefined;
}

/** Bytes received and not read, in shared memory that nobody writes any more: chunks in order, one after another. */
export interface UnreadData {
  readonly memory: SharedArrayBuffer;
  /** Of each chunk, in bytes. Each counts as one buffer of the stream's quota until it is read. */
  readonly lengths: readonly number[];
}

/** A stream as its last owner knew it. */
export interface StreamState {
  readonly connected: boolean;
  readonly readEnded: boolean;
  readonly writeClosed: boolean;
  /** It was told of an error of the connection. */
  readonly failed: boolean;
  readonly error: ErrorDescription | undefined;
  /** Wire address of the peer, as in `Slot.ADDRESS`. */
  readonly remote: Int32Array;
  /** Accepted writes that may be unsent; the I/O thread says later how many are. */
  readonly unsentBytes: number;
  /** It was not writable, and will not be before the low-water mark. */
  readonly full: boolean;
}

/** What `Timer.detach()` gives. The I/O thread has no part in it: the timer is set there to when it is due next. */
export interface DetachedTimer {
  readonly sideport: 'detached-timer';
  /** One word, `NameUse`. */
  readonly use: SharedArrayBuffer;
  /** The first expiry that is not counted yet, on the shared clock (protocol/clock.ts); undefined: there is none to come. */
  readonly dueMs: number | undefined;
  readonly intervalMs: number;
  /** Counted and not read. */
  readonly expirations: number;
}

/** By the public class's name: streams, and the halves that a stream is split into. */
export type StreamKind = 'TcpStream' | 'UnixStream' | 'ForeignStream' | HalfKind;
export type HalfKind = 'TcpReader' | 'TcpWriter' | 'UnixReader' | 'UnixWriter';

/**
 * What `detach()` gives: passes through `postMessage`, `workerData` and whatever else clones, to a thread of the same process.
 * It is good for one `attach`, within `transferTimeoutMs`.
 */
export interface DetachedStream<Kind extends StreamKind = 'TcpStream'> {
  readonly sideport: 'detached-stream';
  readonly kind: Kind;
  readonly portId: number;
  /** The detaching client, and the stream's name there. */
  readonly clientId: number;
  readonly slot: number;
  readonly generation: number;
  /** The detaching client's control memory: `Slot.CLAIM` decides between attaching and expiry. */
  readonly memory: SharedArrayBuffer;
  /** One word, `NameUse`: decides between several that attach. */
  readonly use: SharedArrayBuffer;
  readonly fd: number;
  readonly state: StreamState;
  readonly unread: UnreadData | undefined;
  /** Of a half. */
  readonly ends?: StreamEnds | undefined;
  /** Of a ForeignStream, for which directions it is open: bits of `Access`. */
  readonly access?: number | undefined;
}

/**
 * The addresses of a stream that was split, as they were then, by the wire form or by name: a half does not use the descriptor, which the other
 * half's `abort` closes.
 */
export interface StreamEnds {
  readonly local: SocketAddress | string | undefined;
  readonly peer: SocketAddress | string | undefined;
}

/** What `split()` gives: two names, each good for one `attach`, within `transferTimeoutMs`. */
export interface SplitStream<Reader extends HalfKind = 'TcpReader', Writer extends HalfKind = 'TcpWriter'> {
  readonly reader: DetachedStream<Reader>;
  readonly writer: DetachedStream<Writer>;
}

/** Values of a name's `use` word. */
export const NameUse = { FRESH: 0, USED: 1, EXPIRED: 2 } as const;

/** Bits of DETACH_STREAM's `a`: what the detaching client has seen, so that the next owner need not be told. */
export const Seen = { END: 1, CONNECT: 2, FAILURE: 4, ALL: 7 } as const;

/** What is shared, by the public class's name. */
export type SharedKind = 'TcpListener' | 'UnixListener' | 'UdpSocket' | 'UnixDatagram';

/**
 * What `share()` gives: passes through whatever clones, to threads of the same process. Good for any number of sharers, as long as
 * there is one.
 */
export interface SharedSource<Kind extends SharedKind = SharedKind> {
  readonly sideport: 'shared-source';
  readonly kind: Kind;
  readonly portId: number;
  /** Its first sharer. */
  readonly clientId: number;
  readonly slot: number;
  readonly generation: number;
  readonly fd: number;
  /** Of a Unix socket that was bound to a name. */
  readonly file?: SharedFile | undefined;
}

/** The file of a Unix socket. */
export interface SharedFile {
  readonly path: string;
  /** One word (atomics/sharers.ts). */
  readonly sharers: SharedArrayBuffer;
}

/** A listener or datagram socket that moves with its Poll: the I/O thread keeps it open meanwhile (`Submission.DETACH_SHARED`). */
export interface DetachedShared<Kind extends SharedKind = SharedKind> {
  readonly sideport: 'detached-shared';
  readonly shared: SharedSource<Kind>;
  /** As whose it is kept. */
  readonly kept: { readonly clientId: number; readonly slot: number; readonly generation: number };
  readonly error: ErrorDescription | undefined;
}

/** A source that moves with its Poll. */
export type DetachedSource = DetachedStream<StreamKind> | DetachedShared | DetachedTimer;

/** A registration as its Poll had it. */
export interface DetachedRegistration {
  readonly token: number;
  /** Bits of `Interest` and of `PollOpt`. */
  readonly interest: number;
  readonly options: number;
  /** Oneshot, delivered, and not registered anew. */
  readonly disarmed: boolean;
  /** Bits of `Ready` that have changed and were not delivered, and those that held. */
  readonly edges: number;
  readonly ready: number;
  readonly source: DetachedSource;
}

/**
 * What `poll.detach()` gives: passes through whatever clones, to a thread of the same process. It is good for one `attach`. Each source in it goes its
 * own way, so the Poll's name is no more than the names of its sources, and one use word for all.
 */
export interface DetachedPoll {
  readonly sideport: 'detached-poll';
  readonly portId: number;
  /** One word, `NameUse`. */
  readonly use: SharedArrayBuffer;
  /** In the order in which they were made. */
  readonly registrations: readonly DetachedRegistration[];
}

export type SharedListener = SharedSource<'TcpListener'>;
export type SharedUnixListener = SharedSource<'UnixListener'>;
export type SharedUdpSocket = SharedSource<'UdpSocket'>;
export type SharedUnixDatagram = SharedSource<'UnixDatagram'>;
