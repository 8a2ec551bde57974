/** What the conductor of a chaos run and the threads that own streams say to each other. */
import { type DetachedStream, type SharedIoThread, TcpStream, UnixStream } from '../../src/index.js';
import type { JoinDatagrams, ReadAgain } from './datagrams.js';
import type { JoinListener } from './listeners.js';
import type { GivenTimer, ToTimerOwner } from './timers.js';

export interface OwnerData {
  readonly ioThread: SharedIoThread;
  readonly seed: number;
}

/** How far a stream's owners have come. */
export interface Progress {
  readonly received: number;
  readonly sent: number;
}

export interface Carried extends Progress {
  readonly id: number;
  readonly name: DetachedStream<'TcpStream'> | DetachedStream<'UnixStream'>;
}

export type ToOwner =
  | { readonly kind: 'take'; readonly stream: Carried }
  | { readonly kind: 'give'; readonly id: number }
  /** Looks at nothing for so long. */
  | { readonly kind: 'stall'; readonly ms: number }
  | { readonly kind: 'leave listener' }
  | { readonly kind: 'leave datagrams' }
  | JoinListener
  | JoinDatagrams
  | ToTimerOwner;

export type FromOwner =
  | { readonly kind: 'ready' }
  | { readonly kind: 'given'; readonly stream: Carried }
  /** Its peer has ended it; what was accepted is being flushed. */
  | { readonly kind: 'ended'; readonly id: number; readonly progress: Progress }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | ReadAgain
  | GivenTimer;

/** Takes over a stream of either kind. */
export function attach({ name }: Carried): TcpStream | UnixStream {
  return name.kind === 'UnixStream' ? UnixStream.attach(name) : TcpStream.attach(name);
}
