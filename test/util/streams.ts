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
import { Pattern } from './pattern.js';

export const BOTH = Interest.READABLE | Interest.WRITABLE;

/** Of either socket's buffer. Of both Linux makes less than 200 000 bytes, and with much less the readers of what was held would wait for it. */
const LITTLE = 32_768;

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

  /**
   * Writes to the server's end until it takes no more; returns how much that was. It stays as full until the client is registered for READABLE
   * again, however the threads are scheduled: nothing is received meanwhile, and the kernel has no room for what lies between the water marks (224 KiB at least).
   */
  fill(pattern = new Pattern(0, 65_536)): number {
    this.client.setReceiveBufferSize(LITTLE);
    this.server.setSendBufferSize(LITTLE);
    this.poll.registry.reregister(this.client, 1, Interest.WRITABLE);
    for (let written = 0; ; ) {
      const count = this.server.write(pattern.at(written, 65_536));
      if (count === null) return written;
      written += count;
    }
  }

  /** What {@link fill} wrote may be read. */
  letClientRead(): void {
    this.poll.registry.reregister(this.client, 1, BOTH);
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
