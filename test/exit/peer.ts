/** The other end of a fixture's connection: plain `node:net` in the test's process, reading only when told to. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { CHILD_PATIENCE_MS } from '../util/watchdog.js';
import { pattern } from './fixtures/pattern.js';

/** How a connection ended, seen from the peer. */
export interface Received {
  readonly length: number;
  /** Every byte is the pattern's. */
  readonly intact: boolean;
  /** `'end'`, or the code of the error. */
  readonly how: string;
}

export class Peer {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  readonly #connected: Promise<Socket>;

  private constructor(server: Server) {
    this.#server = server;
    this.#connected = new Promise((resolve) =>
      server.on('connection', (socket) => {
        this.#sockets.push(socket);
        // Errors are told by `receive`; one that comes earlier is found there too.
        socket.on('error', () => {});
        resolve(socket);
      }),
    );
  }

  /** Closed with the test. */
  static async listen(t: ExecutionContext): Promise<Peer> {
    const server = createServer({ pauseOnConnect: true });
    const peer = new Peer(server);
    t.teardown(() => peer.#close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return peer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Begins to read, and resolves when the connection has ended. */
  async receive(): Promise<Received> {
    return receive(await this.#connected);
  }

  #close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

export async function receive(socket: Socket): Promise<Received> {
  const hash = createHash('sha256');
  let length = 0;
  socket.on('data', (chunk) => {
    hash.update(chunk);
    length += chunk.length;
  });
  const how = await new Promise<string>((resolve) => {
    socket.on('end', () => resolve('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('close', () => resolve('closed'));
    socket.resume();
  });
  const expected = createHash('sha256').update(pattern(0, length)).digest('hex');
  return { length, intact: hash.digest('hex') === expected, how };
}

/** Begins to connect to a fixture's listener. However the fixture ends the connection, and how soon, is no failure of the test. */
export function knock(port: number): Socket {
  const socket = createConnection({ port, host: '127.0.0.1' });
  return socket.on('error', () => {});
}

/** Connects to a fixture's listener. */
export async function connect(port: number): Promise<Socket> {
  const socket = knock(port);
  await once(socket, 'connect');
  return socket;
}

/** Binds the port and lets it go again: nobody else has it. Rejects with EADDRINUSE otherwise. */
export async function bindOnce(port: number): Promise<void> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

/** As {@link bindOnce}, but whoever has the port is about to let it go. */
export async function bindSoon(port: number): Promise<void> {
  const untilMs = performance.now() + CHILD_PATIENCE_MS;
  for (;;) {
    try {
      return await bindOnce(port);
    } catch (error) {
      if (performance.now() > untilMs || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
