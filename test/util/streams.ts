/** Connections for tests: both ends, connected and registered, and the loops that every test would write. */
import {
  type ByteReader,
  type ByteWriter,
  Events,
  Interest,
  type IoThread,
  Poll,
  PollOpt,
  TcpListener,
  TcpStream,
} from '../../src/index.js';
import { expectEvents } from './expect-events.js';

export const BOTH = Interest.READABLE | Interest.WRITABLE;

/** A listener on a free port of the loopback address. */
export function listen(): TcpListener {
  return TcpListener.bind({ host: '127.0.0.1', port: 0 });
}

/** A stream that will connect to the listener. */
export function connectTo(listener: TcpListener): TcpStream {
  return TcpStream.connect({ host: '127.0.0.1', port: listener.localAddress().port });
}

/** A connected pair on one Poll: the client's token is 1, the server's 2. Blocks until both are connected. */
export class Pair {
  readonly poll: Poll;
  readonly client: TcpStream;
  readonly server: TcpStream;

  constructor(ioThread: IoThread, options: number = PollOpt.EDGE) {
    this.poll = new Poll({ ioThread });
    using listener = listen();
    this.poll.registry.register(listener, 0, Interest.READABLE);
    this.client = connectTo(listener);
    this.poll.registry.register(this.client, 1, BOTH, options);
    expectEvents(this.poll, { token: 0, readable: true }, { token: 1, writable: true });
    const accepted = listener.accept();
    if (!accepted) throw new Error('the listener was readable and accepted nothing');
    this.server = accepted.stream;
    this.poll.registry.register(this.server, 2, BOTH, options);
    expectEvents(this.poll, { token: 2, writable: true });
  }

  [Symbol.dispose](): void {
    this.client.abort();
    this.server.abort();
    this.poll.close();
  }
}

/** Writes all of it, blocking on the Poll while there is no room. */
export function writeAll(poll: Poll, stream: ByteWriter, bytes: Uint8Array): void {
  const events = new Events(64);
  for (let at = 0; at < bytes.length; ) {
    const count = stream.write(bytes.subarray(at));
    if (count === null) poll.poll(events, 10_000);
    else at += count;
  }
}

/** Reads exactly `length` bytes, blocking on the Poll while there are none. */
export function readExactly(poll: Poll, stream: ByteReader, length: number): Buffer {
  const into = Buffer.alloc(length);
  const events = new Events(64);
  for (let at = 0; at < length; ) {
    const count = stream.read(into.subarray(at));
    if (count === 0) throw new Error(`the stream ended after ${at} of ${length} bytes`);
    if (count !== null) at += count;
    else if (poll.poll(events, 10_000) === 0) throw new Error(`no event after ${at} of ${length} bytes`);
  }
  return into;
}

/** Reads to the end of the stream. */
export function readToEnd(poll: Poll, stream: ByteReader): Buffer {
  const chunks: Buffer[] = [];
  const into = Buffer.alloc(65_536);
  const events = new Events(64);
  for (;;) {
    const count = stream.read(into);
    if (count === 0) return Buffer.concat(chunks);
    if (count !== null) chunks.push(Buffer.from(into.subarray(0, count)));
    else if (poll.poll(events, 10_000) === 0) throw new Error('no event before the end of the stream');
  }
}
