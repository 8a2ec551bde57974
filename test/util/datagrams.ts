/** Datagrams for tests: sockets on the loopback address, and the loops that every test would write. */
import {
  Events,
  Interest,
  type IoThread,
  Poll,
  PollOpt,
  type Received,
  type SocketAddress,
  UdpSocket,
} from '../../src/index.js';

export const LOOPBACK = '127.0.0.1';
const PATIENCE_MS = 10_000;

export function bindUdp(host = LOOPBACK): UdpSocket {
  return UdpSocket.bind({ host, port: 0 });
}

export function endpointOf(socket: UdpSocket): { host: string; port: number } {
  const { address, port } = socket.localAddress();
  return { host: address, port };
}

/** A datagram as tests compare it. */
export interface Got {
  readonly text: string;
  readonly received: Received<SocketAddress>;
}

/** Two sockets on one Poll: `a` has token 1, `b` token 2. */
export class UdpPair {
  readonly poll: Poll;
  readonly a: UdpSocket;
  readonly b: UdpSocket;

  constructor(ioThread: IoThread, host = LOOPBACK, options: number = PollOpt.EDGE) {
    this.poll = new Poll({ ioThread });
    this.a = bindUdp(host);
    this.b = bindUdp(host);
    this.poll.registry.register(this.a, 1, Interest.READABLE | Interest.WRITABLE, options);
    this.poll.registry.register(this.b, 2, Interest.READABLE | Interest.WRITABLE, options);
  }

  /** From `a` to `b`; waits for room. */
  send(bytes: Uint8Array | string): void {
    sendAll(this.poll, this.a, typeof bytes === 'string' ? Buffer.from(bytes) : bytes, endpointOf(this.b));
  }

  receive(count: number): Got[] {
    return receive(this.poll, this.b, count);
  }

  [Symbol.dispose](): void {
    this.a.close();
    this.b.close();
    this.poll.close();
  }
}

export function sendAll(
  poll: Poll,
  socket: UdpSocket,
  bytes: Uint8Array,
  to: { readonly host: string; readonly port: number },
): void {
  const events = new Events();
  while (socket.sendTo(bytes, to) === null) poll.poll(events, PATIENCE_MS);
}

/** The next `count` datagrams; waits for them. */
export function receive(poll: Poll, socket: UdpSocket, count: number, size = 65_536): Got[] {
  const into = Buffer.alloc(size);
  const events = new Events();
  const got: Got[] = [];
  const untilMs = performance.now() + PATIENCE_MS;
  while (got.length < count) {
    const received = socket.recvFrom(into);
    if (received) got.push({ text: into.toString('latin1', 0, received.length), received });
    else if (performance.now() > untilMs) throw new Error(`${got.length} of ${count} datagrams came`);
    else poll.poll(events, PATIENCE_MS);
  }
  return got;
}

/** Waits until what was sent before has arrived, by sending one datagram more from `a` to `b` and reading up to it. */
export function drainTo(pair: UdpPair, mark = 'the mark'): Got[] {
  pair.send(mark);
  const got: Got[] = [];
  for (;;) {
    const [one] = pair.receive(1);
    if (!one || one.text === mark) return got;
    got.push(one);
  }
}
