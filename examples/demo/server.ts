/** What a server of the demo is asked for, and what it tells; the same for every kind. */
import type { SocketAddress } from 'sideport';
import type { Protocol } from './handler.js';

export interface Service {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly protocol: Protocol;
}

export interface RunningServer {
  /** Where the services listen, in their order. */
  readonly addresses: readonly SocketAddress[];
  /** Stops listening and closes every connection; resolves when the server's thread has ended, if it has one. */
  stop(): Promise<void>;
}

export interface Traffic {
  /** Connections, since the start and now. */
  accepted: number;
  open: number;
  bytesReceived: number;
  bytesSent: number;
}
