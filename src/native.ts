/**
 * What the addon offers, declared once. `native/binding/addon.cc` is the other side of this file.
 *
 * Conventions: system errors come back as Node's negative errno (`-98`), never as exceptions; wrong
 * argument types throw `TypeError`. Addresses are 24-byte wire addresses (`protocol/address.ts`).
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { fail, type SideportError } from './errors.js';
import { PROTOCOL_VERSION } from './protocol/port-records.js';

/** The completion port of one I/O thread (`native/completion_port.h`). Belongs to the thread that opened it. */
export interface NativePort {
  /** Names this port in the process; never used again for another one. */
  readonly id: number;
  /** The backend that really runs. */
  readonly backend: string;
  /** Why a better backend that was tried before does not run; undefined when there is none, or one was forced. */
  readonly fallbackReason: string | undefined;
  /** Records for the next `turn`, 12 words each. Written by the selector between turns. */
  readonly submissions: Int32Array;
  /** Records of the last `turn`, 12 words each. */
  readonly completions: Int32Array;
  /** One loop turn; returns the number of completion records. Never blocks longer than 100 ms. */
  turn(submissionCount: number, timeoutMs: number): number;
  /** Keeps `memory` alive and in place until {@link removeSegment} returns true. Returns the segment's number. */
  addSegment(memory: Uint8Array, bufferSize: number): number;
  removeSegment(segment: number): boolean;
  dropGroup(group: number): void;
  /**
   * Gives the pages of a segment back to the system; its memory stays, and reads as anything until it is written. No
   * group may have a buffer of it and no operation use it.
   */
  discardSegment(segment: number): void;
  /**
   * Swaps `words[index]` from `from` to `to` and, if that succeeds, will close `fd` should the port end before it is
   * adopted. True: the caller must adopt it.
   */
  claim(words: Int32Array, index: number, from: number, to: number, fd: number): boolean;
  /** Operations started and released since the port was opened. */
  started(): number;
  released(): number;
  /** The ids of clients whose threads have ended or detached since the last call. */
  takeDeadClients(): number[];
  /**
   * From now on nobody new finds the port: the election forgets it and `link` is refused. Those who are linked already go
   * on. Idempotent.
   */
  withdraw(): void;
  /** Cancels, reaps and closes now instead of at the thread's end. Idempotent. True if nothing is left in flight. */
  close(): boolean;
}

/**
 * One client thread's tie to a port: it wakes the port, is woken through its doorbell, and tells the port of
 * the thread's death. Ends with the thread, or with `detach`.
 */
export interface ThreadLink {
  /** Names this client in the process; never used again. Also the doorbell's name, see {@link Addon.ringDoorbell}. */
  readonly clientId: number;
  /** Wakes the port; `reasons` as in `WakeReason`. Safe, and without effect, after the port's end. */
  wake(reasons: number): void;
  /** Whether the port still lives. Turns false before the port's memory goes. */
  isAlive(): boolean;
  /** Whether the doorbell keeps this thread's event loop alive. It starts without. */
  ref(): void;
  unref(): void;
  /** Tells the port that this client is gone, as the thread's end would. Idempotent. */
  detach(): void;
}

/** A socket's descriptor before the port owns it. Closed when it is collected or the thread ends, unless lent. */
export interface Descriptor {
  /** The descriptor, or -1 once it was closed or given up. */
  readonly fd: number;
  /**
   * From now on the word `words[index]` decides who closes the descriptor: whoever swaps it away from `mine`
   * first. The port's side does so when it adopts the descriptor; this side does so in `close`, when it is collected and when
   * its thread ends. Exactly one of them closes, whatever dies in between.
   */
  lend(words: Int32Array, index: number, mine: number, closed: number): void;
  /** Closes now if this side still owns it. Idempotent. */
  close(): void;
}

/** Result of a claim in the election of the process's default I/O thread. */
export const Claim = {
  /** This thread has won: it must start an I/O thread and then call `electionResolve` or `electionAbandon`. */
  WON: 0,
  /** Another thread is starting one: wait with `electionWait`. */
  PENDING: -1,
  // any value > 0: the id of the port that is ready
} as const;

export interface SocketCalls {
  /** A non-blocking, close-on-exec stream socket; `family` is 4 or 6. A negative errno on failure. */
  open(family: number): Descriptor | number;
  /**
   * `reuseAddress` sets SO_REUSEADDR where it is safe (not on Windows), `reusePort` SO_REUSEPORT (ENOTSUP where there is
   * none), `v6only` IPV6_V6ONLY. 0 or a negative errno.
   */
  bind(fd: number, address: Uint8Array, reuseAddress: boolean, reusePort: boolean, v6only: boolean): number;
  listen(fd: number, backlog: number): number;
  localAddress(fd: number, into: Uint8Array): number;
  peerAddress(fd: number, into: Uint8Array): number;
  setNoDelay(fd: number, on: boolean): number;
  /** 0 or 1, or a negative errno. */
  getNoDelay(fd: number): number;
  setTtl(fd: number, ttl: number): number;
  getTtl(fd: number): number;
  /** Takes over a socket that was opened elsewhere. ENOTSOCK, EBADF. */
  adopt(fd: number): Descriptor | number;
  /** `option` is a number of `SocketOption`. 0 or a negative errno; `getOption` puts the value into `into[0]`. */
  setOption(fd: number, option: number, value: number): number;
  getOption(fd: number, option: number, into: Int32Array): number;
  /** A non-blocking, close-on-exec datagram socket; `family` is 4 or 6. */
  openDatagram(family: number): Descriptor | number;
  /** At once. An address of family 0 takes the peer away. */
  connectDatagram(fd: number, address: Uint8Array): number;
  /** Sends one datagram now; without an address to the peer. Bytes, or a negative errno. */
  sendDatagram(fd: number, bytes: Uint8Array, address: Uint8Array | undefined): number;
  /**
   * Joins or leaves a multicast group on the interface that `via` names: by its address for IPv4, by its scope id for
   * IPv6. With `source`: for what that address sends alone.
   */
  changeMembership(
    fd: number,
    join: boolean,
    group: Uint8Array,
    via: Uint8Array,
    source: Uint8Array | undefined,
  ): number;
  setMulticastInterface(fd: number, via: Uint8Array): number;
  /** Unix-domain sockets; ENOTSUP where there are none. `type` is 1 for streams, 2 for datagrams. */
  openUnix(type: number): Descriptor | number;
  bindUnix(fd: number, name: Uint8Array): number;
  connectUnix(fd: number, name: Uint8Array): number;
  openUnixPair(type: number): [Descriptor, Descriptor] | number;
  /** Bytes of the name put into `into`, which holds 108; 0 for a socket without one. */
  unixName(fd: number, peer: boolean, into: Uint8Array): number;
  /**
   * An instance of a named pipe's server end, and its client's end; ENOTSUP where there are none. `first`: EPERM if the name
   * has an instance already. `remote`: clients on other machines may connect. `instances`: 255 is any number.
   */
  createPipe(name: string, messages: boolean, first: boolean, remote: boolean, instances: number): Descriptor | number;
  openPipe(name: string, messages: boolean): Descriptor | number;
  /** Bits of `PipeTrait`, or a negative errno. One that has messages is read by messages from then on. */
  pipeTraits(fd: number): number;
  adoptPipe(fd: number): Descriptor | number;
  /**
   * Bits of `Access` of what is no socket: what can be polled, or on Windows a handle opened for overlapped operations. EINVAL,
   * EBADF.
   */
  foreignAccess(fd: number): number;
  adoptForeign(fd: number): Descriptor | number;
}

export interface Addon {
  /** The layout version of records and shared words that the addon was built for. */
  readonly protocolVersion: number;
  /** Opens the port of this thread. `backend` forces one, undefined takes the best that works. Throws when it cannot. */
  openPort(backend: string | undefined, submissionCapacity: number, completionCapacity: number): NativePort;
  /** Ties this thread to a port, or undefined if the port is gone. `doorbell` runs on this thread's event loop. */
  link(portId: number, doorbell: () => void): ThreadLink | undefined;
  /**
   * Swaps `words[at]` from `from` to `to` and, if that succeeds, makes the client's doorbell callback run once on its
   * thread: in one call, so that a thread terminated meanwhile does both or neither. False if it has not rung. From any thread.
   */
  ringDoorbell(clientId: number, words: Int32Array, at: number, from: number, to: number): boolean;
  /** Wakes a port without a link to it; without effect if it is gone. */
  wakePort(portId: number, reasons: number): void;
  /** The election of the process-wide default I/O thread, one per protocol version. */
  electionClaim(version: number): number;
  electionResolve(version: number, portId: number): void;
  electionAbandon(version: number): void;
  /** Blocks natively until the election is no longer pending, at most `timeoutMs` (itself at most 100). */
  electionWait(version: number, timeoutMs: number): void;
  /** Sockets, pipes and the like that this process has open, files not counted: whoever looks for a leak compares two counts. */
  countDescriptors(): number;
  readonly socket: SocketCalls;
}

const require = createRequire(import.meta.url);

/** The addon of this thread, once loaded, and its file: looking for it reads folders, which takes time and a descriptor. */
let loaded: { readonly addon: Addon; readonly path: string } | undefined;

/**
 * Loads the addon from `addonPath`, or else the one that this thread has loaded before, or else from the package's own build or
 * prebuilds. So a program that names its path once, in `IoThread.start`, need not name it for each socket.
 *
 * @throws ERR_SIDEPORT_PERMISSION
 */
export function loadAddon(addonPath?: string): Addon {
  try {
    if (addonPath === undefined && loaded) return loaded.addon;
    const path = addonPath ?? findAddon();
    loaded = { addon: checked(require(path) as Addon), path };
    return loaded.addon;
  } catch (error) {
    throw denial(error as NodeJS.ErrnoException) ?? error;
  }
}

/** A file of another version, or no addon at all, would be found out much later, by a wrong word or a missing call. */
function checked(addon: Addon): Addon {
  if (addon?.protocolVersion === PROTOCOL_VERSION) return addon;
  throw fail('ERR_SIDEPORT_START_FAILED', `The addon is not one for protocol version ${PROTOCOL_VERSION}`);
}

/** The file that {@link loadAddon} has loaded on this thread: other threads need not look for it. */
export function addonPath(): string | undefined {
  return loaded?.path;
}

function findAddon(): string {
  // This file runs from dist/src, and bundled from dist/lib: two levels below the package's root.
  const { path } = require('node-gyp-build') as { path(root: string): string };
  return path(fileURLToPath(new URL('../..', import.meta.url)));
}

/** What Node's permission model refused, as one of our own errors. */
export function denial({ message, code }: { message: string; code?: string | undefined }): SideportError | undefined {
  if (code !== 'ERR_ACCESS_DENIED' && code !== 'ERR_DLOPEN_DISABLED') return undefined;
  const flags = 'sideport needs --allow-worker and --allow-addons (and --allow-fs-read of its files)';
  return fail('ERR_SIDEPORT_PERMISSION', `${message}; ${flags}`);
}
