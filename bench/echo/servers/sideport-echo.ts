/** Echo with sideport on whatever thread runs it: a listener and its connections on one Poll. */
import { Events, Interest, type IoThread, type Lease, Poll, TcpListener, type TcpStream } from '../../../src/index.js';
import { Handler } from '../handler.js';

/** `take` handles the received bytes where they lie, `read` copies them out first. */
export type Reading = 'take' | 'read';

export interface SideportEchoOptions {
  /** Instead of one of its own. */
  readonly listener?: TcpListener | undefined;
  /** As `PollOptions.spinUs`. */
  readonly spinUs?: number;
}

interface Connection {
  readonly token: number;
  readonly stream: TcpStream;
  /** Bytes seen and not yet accepted by `write`: nothing more is read meanwhile. */
  unsent: Uint8Array | undefined;
  /** What they lie in. */
  lease: Lease | undefined;
}

const LISTENER = 0;
const READ_BYTES = 65_536;

export class SideportEcho {
  readonly port: number;
  readonly #poll: Poll;
  readonly #events = new Events();
  readonly #listener: TcpListener;
  readonly #reading: Reading;
  readonly #handler: Handler;
  readonly #connections = new Map<number, Connection>();
  readonly #into = new Uint8Array(READ_BYTES);
  #nextToken = LISTENER + 1;

  constructor(ioThread: IoThread, reading: Reading, size: number, { listener, spinUs = 0 }: SideportEchoOptions = {}) {
    this.#reading = reading;
    this.#handler = new Handler(size);
    this.#poll = new Poll({ ioThread, spinUs });
    this.#listener = listener ?? TcpListener.bind({ host: '127.0.0.1', port: 0 });
    this.port = this.#listener.localAddress().port;
    this.#poll.registry.register(this.#listener, LISTENER, Interest.READABLE);
  }

  async wait(): Promise<void> {
    await this.#poll.wait(this.#events);
    this.#dispatch();
  }

  block(timeoutMs: number): void {
    this.#poll.poll(this.#events, timeoutMs);
    this.#dispatch();
  }

  #dispatch(): void {
    for (const { token } of this.#events) {
      if (token === LISTENER) this.#accept();
      else this.#serve(this.#connections.get(token));
    }
  }

  #accept(): void {
    for (let next = this.#listener.accept(); next; next = this.#listener.accept()) {
      next.stream.setNoDelay();
      this.serve(next.stream);
    }
  }

  /** A connection, accepted here or elsewhere. */
  serve(stream: TcpStream): void {
    const token = this.#nextToken++;
    this.#connections.set(token, { token, stream, unsent: undefined, lease: undefined });
    this.#poll.registry.register(stream, token, Interest.READABLE | Interest.WRITABLE);
  }

  #serve(connection: Connection | undefined): void {
    if (!connection) return;
    try {
      while (this.#flush(connection)) {
        const more = this.#reading === 'take' ? this.#take(connection) : this.#read(connection);
        if (!more) return;
      }
    } catch {
      this.#end(connection); // The generator ends its connections with a reset.
    }
  }

  #take(connection: Connection): boolean {
    const lease = connection.stream.take();
    if (lease === null) return false;
    if (lease.length === 0) return this.#end(connection);
    this.#handler.see(lease.bytes);
    connection.lease = lease;
    connection.unsent = lease.bytes;
    return true;
  }

  #read(connection: Connection): boolean {
    const count = connection.stream.read(this.#into);
    if (count === null) return false;
    if (count === 0) return this.#end(connection);
    const bytes = this.#into.subarray(0, count);
    this.#handler.see(bytes);
    connection.unsent = bytes;
    // The buffer serves all connections: what is not accepted at once is kept elsewhere.
    if (!this.#flush(connection)) connection.unsent = connection.unsent.slice();
    return true;
  }

  /** True when nothing is left to write. */
  #flush(connection: Connection): boolean {
    while (connection.unsent !== undefined) {
      const count = connection.stream.write(connection.unsent);
      if (count === null) return false;
      connection.unsent = count < connection.unsent.length ? connection.unsent.subarray(count) : undefined;
    }
    connection.lease?.release();
    connection.lease = undefined;
    return true;
  }

  #end(connection: Connection): false {
    this.#connections.delete(connection.token);
    connection.stream.close();
    return false;
  }
}
