/** What the conductor of a chaos run and the threads that own streams, or halves of them, say to each other. */
import {
  type DetachedStream,
  type SharedIoThread,
  TcpReader,
  TcpStream,
  TcpWriter,
  UnixReader,
  UnixStream,
  UnixWriter,
} from '../../src/index.js';
import type { JoinDatagrams, ReadAgain } from './datagrams.js';
import type { JoinListener } from './listeners.js';
import type { GivenTimer, ToTimerOwner } from './timers.js';

export interface OwnerData {
  readonly ioThread: SharedIoThread;
  readonly seed: number;
}

const CLASSES = { TcpStream, TcpReader, TcpWriter, UnixStream, UnixReader, UnixWriter };

type Kind = keyof typeof CLASSES;
export type Whole = TcpStream | UnixStream;
export type Reader = TcpReader | UnixReader;
export type Writer = TcpWriter | UnixWriter;

/** What of a stream one thread owns. */
export type Part = 'whole' | 'reader' | 'writer';

/** How far a stream's owners have come. */
export interface Progress {
  readonly received: number;
  readonly sent: number;
}

export interface Carried extends Progress {
  readonly id: number;
  readonly name: { [Each in Kind]: DetachedStream<Each> }[Kind];
}

export type ToOwner =
  | { readonly kind: 'take'; readonly stream: Carried }
  | { readonly kind: 'give'; readonly id: number; readonly part: Part }
  | { readonly kind: 'split'; readonly id: number }
  /** A writer is to close: nobody reads the other way any more. */
  | { readonly kind: 'finish'; readonly id: number }
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
  | { readonly kind: 'split'; readonly reader: Carried; readonly writer: Carried }
  /** Its peer has ended it, or it was to finish; what was accepted is being flushed. */
  | { readonly kind: 'ended'; readonly id: number; readonly part: Part; readonly progress: Progress }
  | { readonly kind: 'failed'; readonly id: number; readonly part: Part; readonly message: string }
  | ReadAgain
  | GivenTimer;

export function partOf({ name }: Carried): Part {
  if (name.kind.endsWith('Stream')) return 'whole';
  return name.kind.endsWith('Reader') ? 'reader' : 'writer';
}

/** Takes over a stream, or a half of one, of either kind. */
export function attach({ name }: Carried): Whole | Reader | Writer {
  // The name is of the class that it is looked up by.
  return CLASSES[name.kind].attach(name as never);
}
