import test from 'ava';
import {
  Events,
  Interest,
  IoThread,
  Poll,
  TcpReader,
  TcpStream,
  TcpWriter,
  Timer,
  UnixReader,
  UnixStream,
  UnixWriter,
} from '../src/index.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor, quiet } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { onWindows, unless } from './util/platform.js';
import { BOTH, connectTo, listen, Pair, readExactly, readToEnd, writeAll } from './util/streams.js';

const HIGH = 256 * 1024;
const ioThread = ioThreadFor(test, { sendHighWaterBytes: HIGH, sendLowWaterBytes: HIGH / 8, receiveBufferSize: 4096 });
/** Closes soon what nobody attaches. */
const hasty = ioThreadFor(test, { transferTimeoutMs: 200 });
/** Waits for nobody for long. */
const impatient = ioThreadFor(test, { lingerMs: 200 });
const pattern = new Pattern(1, 2 ** 24);
const [READER, WRITER] = [3, 4];

/** The server's end of a pair as two halves, on the pair's Poll. */
class Split extends Pair {
  readonly reader: TcpReader;
  readonly writer: TcpWriter;

  constructor(on = ioThread) {
    super(on);
    const { reader, writer } = structuredClone(this.server.split());
    this.reader = TcpReader.attach(reader);
    this.writer = TcpWriter.attach(writer);
    this.poll.registry.register(this.reader, READER, BOTH);
    this.poll.registry.register(this.writer, WRITER, BOTH);
  }

  override [Symbol.dispose](): void {
    this.reader.abort();
    this.writer.abort();
    super[Symbol.dispose]();
  }
}

/** What a half was told of; once. */
function codeOf(half: TcpReader | TcpWriter | TcpStream): string | undefined {
  const code = half.takeError()?.code;
  if (half.takeError() !== null) throw new Error('the same error twice');
  return code;
}

/** Which of the two a reset is called depends on what the kernel had told before, and to which direction. */
function isBrokenOff(code: string | undefined): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

test('a reader and a writer are the two directions of one connection', (t) => {
  using split = new Split();
  for (let round = 0; round < 3; round++) {
    writeAll(split.poll, split.client, Buffer.from(`ping ${round}`));
    t.is(readExactly(split.poll, split.reader, 6).toString(), `ping ${round}`);
    writeAll(split.poll, split.writer, Buffer.from(`pong ${round}`));
    t.is(readExactly(split.poll, split.client, 6).toString(), `pong ${round}`);
  }
  for (const half of [split.reader, split.writer]) {
    t.deepEqual(half.peerAddress(), split.client.localAddress());
    t.deepEqual(half.localAddress(), split.client.peerAddress());
  }
});

test('a stream that was split is closed here, and its registrations have ended', (t) => {
  using split = new Split();
  t.true(split.server.closed);
  for (const call of [
    () => split.server.read(Buffer.alloc(1)),
    () => split.server.write(Buffer.alloc(1)),
    () => split.server.split(),
    () => split.server.detach(),
  ]) {
    t.throws(call, { code: 'ERR_SIDEPORT_CLOSED' });
  }
  writeAll(split.poll, split.client, Buffer.from('x'));
  const seen = expectEvents(split.poll, { token: READER, readable: true });
  t.false(seen.some(({ token }) => token === 2));
});

test('a reader is never writable, nor a writer readable', (t) => {
  using split = new Split();
  const seen = expectEvents(split.poll, { token: WRITER, writable: true });
  writeAll(split.poll, split.client, Buffer.from('x'));
  split.client.shutdown('write');
  seen.push(...expectEvents(split.poll, { token: READER, readable: true, readClosed: true }));
  t.false(seen.some(({ token, writable, writeClosed }) => token === READER && (writable || writeClosed)));
  t.false(seen.some(({ token, readable, readClosed }) => token === WRITER && (readable || readClosed)));
});

test("what was unread is the reader's, in buffers or not yet seen; what was accepted goes before the writer's", (t) => {
  using pair = new Pair(ioThread);
  writeAll(pair.poll, pair.client, pattern.at(0, 10_000));
  expectEvents(pair.poll, { token: 2, readable: true });
  t.is(pair.server.read(Buffer.alloc(100)), 100);
  const written = pair.fill(pattern);
  const names = pair.server.split();
  writeAll(pair.poll, pair.client, pattern.at(10_000, 1000));
  using reader = TcpReader.attach(names.reader);
  using writer = TcpWriter.attach(names.writer);
  pair.poll.registry.register(reader, READER, Interest.READABLE);
  pair.poll.registry.register(writer, WRITER, Interest.WRITABLE);
  t.true(pattern.matches(100, readExactly(pair.poll, reader, 10_900)));
  t.is(writer.write(pattern.at(written, 10)), null, 'they count against its high-water mark');
  pair.letClientRead();
  t.true(pattern.matches(0, readExactly(pair.poll, pair.client, written)));
  writeAll(pair.poll, writer, pattern.at(written, 100_000));
  writer.close();
  t.true(pattern.matches(written, readToEnd(pair.poll, pair.client)));
});

test('the writer closes first: the peer sees the end behind all that was accepted, and the reader goes on', async (t) => {
  using split = new Split();
  writeAll(split.poll, split.writer, pattern.at(0, 200_000));
  split.writer.close();
  t.true(pattern.matches(0, readToEnd(split.poll, split.client)));
  writeAll(split.poll, split.client, pattern.at(0, 200_000));
  t.true(pattern.matches(0, readExactly(split.poll, split.reader, 200_000)));
  split.client.shutdown('write');
  t.is(readToEnd(split.poll, split.reader).length, 0);
  split.reader.close();
  split.client.close();
  t.is((await quiet(ioThread)).sources, 0);
});

test('the reader closes first: the writer goes on, and the peer sees its end', async (t) => {
  using split = new Split();
  split.reader.close();
  writeAll(split.poll, split.writer, pattern.at(0, 10));
  t.true(pattern.matches(0, readExactly(split.poll, split.client, 10)));
  writeAll(split.poll, split.writer, pattern.at(10, 100_000));
  split.writer.close();
  t.true(pattern.matches(10, readToEnd(split.poll, split.client)));
  split.client.close();
  t.is((await quiet(ioThread)).sources, 0);
});

test('both close at once: what was accepted is sent, and then the end', async (t) => {
  for (const order of [
    ['reader', 'writer'],
    ['writer', 'reader'],
  ] as const) {
    using split = new Split();
    writeAll(split.poll, split.writer, pattern.at(0, 200_000));
    for (const half of order) split[half].close();
    t.true(pattern.matches(0, readToEnd(split.poll, split.client)), order.join());
    split.client.close();
    t.is((await quiet(ioThread)).sources, 0, order.join());
  }
});

/** Has `from` written until neither it nor the kernel takes more, as nobody reads. How much that was. */
function fill(poll: Poll, from: TcpStream | TcpWriter): number {
  const events = new Events();
  let written = 0;
  do {
    for (let count: number | null = 1; count; ) {
      count = from.write(pattern.at(written, 65_536));
      written += count ?? 0;
    }
  } while (poll.poll(events, 50) > 0);
  return written;
}

for (const order of [
  ['reader', 'writer'],
  ['writer', 'reader'],
] as const) {
  test(`the peer sends on while the ${order[0]} and then the ${order[1]} close: all that was accepted arrives, and then the end`, async (t) => {
    using split = new Split();
    const written = fill(split.poll, split.writer);
    fill(split.poll, split.client);
    for (const half of order) split[half].close();
    // Its own sends end only when somebody takes what it sends; else the connection would be reset once.
    for (let sent = 0; sent < 2 ** 22; sent += 65_536) writeAll(split.poll, split.client, pattern.at(sent, 65_536));
    t.true(pattern.matches(0, readExactly(split.poll, split.client, written)));
    writeAll(split.poll, split.client, pattern.at(0, 2 ** 20));
    t.is(readToEnd(split.poll, split.client).length, 0);
    split.client.close();
    const { sources, receiveBuffersHeld } = await quiet(ioThread);
    t.is(sources + receiveBuffersHeld, 0);
  });

  test(`a peer that does not end is reset lingerMs after the ${order[0]} and the ${order[1]} closed; what was accepted arrives before`, async (t) => {
    using split = new Split(impatient);
    writeAll(split.poll, split.writer, pattern.at(0, 10_000));
    for (const half of order) split[half].close();
    t.true(pattern.matches(0, readToEnd(split.poll, split.client)));
    while ((await impatient.stats()).sources > 1);
    split.client.write(Buffer.from('x'));
    expectEvents(split.poll, { token: 1, error: true });
    split.client.close();
    t.is((await quiet(impatient)).sources, 0);
  });
}

test('a writer alone is not slowed down by what comes for the closed reader, nor does that keep buffers', async (t) => {
  using split = new Split();
  split.reader.close();
  for (let round = 0; round < 8; round++) {
    // More than any kernel holds for a reader that does not read.
    writeAll(split.poll, split.client, pattern.at(0, 2 ** 21));
    writeAll(split.poll, split.writer, pattern.at(0, 1000));
    t.true(pattern.matches(0, readExactly(split.poll, split.client, 1000)));
  }
  // The last buffer that the client has read is on its way back.
  split.poll.poll(new Events(), 0);
  while ((await ioThread.stats()).receiveBuffersHeld > 0);
  t.pass();
});

test("an error that writing meets after the peer's end reaches the reader as well, also one that moves; once", async (t) => {
  for (const moves of [false, true]) {
    using split = new Split();
    split.client.shutdown('write');
    t.is(readToEnd(split.poll, split.reader).length, 0);
    const name = moves ? split.reader.detach() : undefined;
    split.client.abort();
    // Both halves, or the writer and the reader's name; the client is no more.
    while ((await ioThread.stats()).sources > 2);
    split.writer.write(Buffer.from('x'));
    const told = moves ? [] : [{ token: READER, error: true }];
    expectEvents(split.poll, { token: WRITER, error: true }, ...told);
    t.true(isBrokenOff(codeOf(split.writer)));
    using reader = name ? TcpReader.attach(name) : split.reader;
    if (moves) {
      split.poll.registry.register(reader, 6, BOTH);
      expectEvents(split.poll, { token: 6, error: true });
    }
    t.true(isBrokenOff(codeOf(reader)));
    t.is(reader.read(Buffer.alloc(1)), 0);
    using again = TcpReader.attach(reader.detach());
    split.poll.registry.register(again, 5, BOTH);
    expectEvents(split.poll, { token: 5, readable: true });
    t.is(codeOf(again), undefined);
    again.close();
    split.writer.close();
    t.is((await quiet(ioThread)).sources, 0);
  }
});

test("the writer aborts after the peer's end: the reader meets ECONNABORTED once", (t) => {
  using split = new Split();
  split.client.shutdown('write');
  t.is(readToEnd(split.poll, split.reader).length, 0);
  split.writer.abort();
  expectEvents(split.poll, { token: READER, error: true });
  t.is(codeOf(split.reader), 'ECONNABORTED');
  t.is(split.reader.read(Buffer.alloc(1)), 0);
});

test('a writer that has ended writing meets the error of what it had written', (t) => {
  using pair = new Pair(ioThread);
  pair.fill();
  const names = pair.server.split();
  // Not registered: it receives nothing, so that only what was written can fail.
  using _reader = TcpReader.attach(names.reader);
  using writer = TcpWriter.attach(names.writer);
  pair.poll.registry.register(writer, WRITER, Interest.WRITABLE);
  writer.shutdown();
  pair.client.abort();
  expectEvents(pair.poll, { token: WRITER, error: true });
  t.true(isBrokenOff(codeOf(writer)));
});

test('a writer that has ended writing stays open, and meets EPIPE', (t) => {
  using split = new Split();
  writeAll(split.poll, split.writer, Buffer.from('last'));
  split.writer.shutdown();
  t.throws(() => split.writer.write(Buffer.from('x')), { code: 'EPIPE' });
  t.is(readToEnd(split.poll, split.client).toString(), 'last');
  writeAll(split.poll, split.client, Buffer.from('still'));
  t.is(readExactly(split.poll, split.reader, 5).toString(), 'still');
});

for (const [by, other] of [
  ['reader', 'writer'],
  ['writer', 'reader'],
] as const) {
  test(`the ${by} aborts: the peer is reset, and the ${other} meets ECONNABORTED once`, async (t) => {
    using split = new Split();
    const token = other === 'reader' ? READER : WRITER;
    split[by].abort();
    expectEvents(split.poll, { token, error: true }, { token: 1, error: true });
    t.is(codeOf(split[other]), 'ECONNABORTED');
    t.is(codeOf(split.client), 'ECONNRESET');
    if (other === 'reader') t.is(split.reader.read(Buffer.alloc(1)), 0);
    else t.throws(() => split.writer.write(Buffer.from('x')), { code: 'EPIPE' });
    split[other].close();
    split.client.close();
    t.is((await quiet(ioThread)).sources, 0);
  });

  test(`the ${by} aborts while the ${other} is nobody's: whoever attaches it meets ECONNABORTED`, async (t) => {
    using pair = new Pair(ioThread);
    writeAll(pair.poll, pair.client, Buffer.from('before'));
    expectEvents(pair.poll, { token: 2, readable: true });
    const names = pair.server.split();
    if (by === 'reader') TcpReader.attach(names.reader).abort();
    else TcpWriter.attach(names.writer).abort();
    expectEvents(pair.poll, { token: 1, error: true });
    using late = other === 'reader' ? TcpReader.attach(names.reader) : TcpWriter.attach(names.writer);
    pair.poll.registry.register(late, 5, BOTH);
    expectEvents(pair.poll, { token: 5, error: true });
    if (late instanceof TcpReader) t.is(readExactly(pair.poll, late, 6).toString(), 'before');
    t.is(codeOf(late), 'ECONNABORTED');
    late.close();
    pair.client.close();
    t.is((await quiet(ioThread)).sources, 0);
  });
}

test('the peer resets the connection: either half meets it once', (t) => {
  using split = new Split();
  split.client.abort();
  expectEvents(split.poll, { token: READER, error: true }, { token: WRITER, error: true });
  t.is(codeOf(split.reader), 'ECONNRESET');
  t.is(codeOf(split.writer), 'ECONNRESET');
  t.throws(() => split.writer.write(Buffer.from('x')), { code: 'EPIPE' });
});

test('an error that was not taken is told to both', (t) => {
  using pair = new Pair(ioThread);
  pair.client.abort();
  expectEvents(pair.poll, { token: 2, error: true });
  const names = pair.server.split();
  using reader = TcpReader.attach(names.reader);
  using writer = TcpWriter.attach(names.writer);
  t.is(reader.takeError()?.code, 'ECONNRESET');
  t.is(writer.takeError()?.code, 'ECONNRESET');
});

test('a half that nobody attaches is closed after transferTimeoutMs, and the other goes on', async (t) => {
  for (const kept of ['reader', 'writer'] as const) {
    using pair = new Pair(hasty);
    writeAll(pair.poll, pair.server, Buffer.from('accepted'));
    const names = pair.server.split();
    using half = kept === 'reader' ? TcpReader.attach(names.reader) : TcpWriter.attach(names.writer);
    pair.poll.registry.register(half, 5, BOTH);
    if (half instanceof TcpReader) {
      t.is(readToEnd(pair.poll, pair.client).toString(), 'accepted', 'the end of the writing half');
      writeAll(pair.poll, pair.client, Buffer.from('more'));
      t.is(readExactly(pair.poll, half, 4).toString(), 'more');
      t.throws(() => TcpWriter.attach(names.writer), { code: 'ERR_SIDEPORT_TRANSFER_EXPIRED' });
    } else {
      // Once this has come the I/O thread has heard of the split, and counts the reader.
      writeAll(pair.poll, half, Buffer.from(' more'));
      t.is(readExactly(pair.poll, pair.client, 13).toString(), 'accepted more');
      while ((await hasty.stats()).streamsInTransfer > 0);
      t.throws(() => TcpReader.attach(names.reader), { code: 'ERR_SIDEPORT_TRANSFER_EXPIRED' });
      writeAll(pair.poll, half, Buffer.from('still'));
      half.close();
      t.is(readToEnd(pair.poll, pair.client).toString(), 'still');
    }
  }
});

test('neither half is attached: what was accepted is sent, and the connection closed', async (t) => {
  using pair = new Pair(hasty);
  writeAll(pair.poll, pair.server, Buffer.from('accepted'));
  pair.server.split();
  t.is(readToEnd(pair.poll, pair.client).toString(), 'accepted');
  pair.client.close();
  const { sources, streamsInTransfer } = await quiet(hasty);
  t.is(sources + streamsInTransfer, 0);
});

test('a name is good for one attach, of its own class', (t) => {
  using pair = new Pair(ioThread);
  const { reader, writer } = pair.server.split();
  for (const wrong of [
    () => TcpReader.attach(writer as never),
    () => TcpWriter.attach(reader as never),
    () => TcpStream.attach(reader as never),
    () => UnixReader.attach(reader as never),
    () => TcpReader.attach({} as never),
  ]) {
    t.throws(wrong, { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  using one = TcpReader.attach(reader);
  using other = TcpWriter.attach(writer);
  t.throws(() => TcpReader.attach(reader), { code: 'ERR_SIDEPORT_TRANSFER_USED' });
  t.throws(() => TcpWriter.attach(writer), { code: 'ERR_SIDEPORT_TRANSFER_USED' });
  t.false(one.closed || other.closed);
});

test('what cannot be split stays as it was', (t) => {
  using pair = new Pair(ioThread);
  using listener = listen();
  using connecting = connectTo(listener);
  t.throws(() => connecting.split(ioThread), { code: 'ENOTCONN' });
  t.throws(() => pair.server.split(hasty), { code: 'ERR_SIDEPORT_OTHER_IO_THREAD' });
  writeAll(pair.poll, pair.client, Buffer.from('lent'));
  expectEvents(pair.poll, { token: 2, readable: true });
  const lease = pair.server.take();
  t.throws(() => pair.server.split(), { code: 'ERR_SIDEPORT_LEASE_HELD' });
  t.is(lease?.length, 4);
  lease?.release();
  writeAll(pair.poll, pair.client, Buffer.from('again'));
  t.is(readExactly(pair.poll, pair.server, 5).toString(), 'again');
});

test('a thread without a slot for the second half keeps its stream whole', async (t) => {
  const small = IoThread.start({ maxSources: 3, acceptAhead: 1 });
  using pair = new Pair(small);
  // The listener's slot comes back, and the timer has it.
  while ((await small.stats()).sources > 2);
  pair.poll.poll(new Events(), 0);
  const timer = Timer.after(60_000);
  pair.poll.registry.register(timer, 7, Interest.READABLE);
  t.throws(() => pair.server.split(), { code: 'ERR_SIDEPORT_LIMIT' });
  writeAll(pair.poll, pair.client, Buffer.from('whole'));
  t.is(readExactly(pair.poll, pair.server, 5).toString(), 'whole');
  pair[Symbol.dispose]();
  timer.close();
  await small.close();
});

test('a half moves on, with what is unread or unsent', (t) => {
  using split = new Split();
  writeAll(split.poll, split.client, pattern.at(0, 9000));
  expectEvents(split.poll, { token: READER, readable: true });
  writeAll(split.poll, split.writer, pattern.at(0, 9000));
  using reader = TcpReader.attach(structuredClone(split.reader.detach()));
  using writer = TcpWriter.attach(structuredClone(split.writer.detach()));
  t.true(split.reader.closed && split.writer.closed);
  split.poll.registry.register(reader, 5, BOTH);
  split.poll.registry.register(writer, 6, BOTH);
  writeAll(split.poll, split.client, pattern.at(9000, 1000));
  writeAll(split.poll, writer, pattern.at(9000, 1000));
  t.true(pattern.matches(0, readExactly(split.poll, reader, 10_000)));
  t.true(pattern.matches(0, readExactly(split.poll, split.client, 10_000)));
  t.deepEqual(reader.peerAddress(), split.client.localAddress());
});

test('halves go along with their Poll', (t) => {
  using split = new Split();
  split.poll.registry.deregister(split.client);
  writeAll(split.poll, split.client, Buffer.from('unread'));
  expectEvents(split.poll, { token: READER, readable: true });
  const { poll, sources } = Poll.attach(structuredClone(split.poll.detach()));
  const [[, reader], [, writer]] = sources as [[number, TcpReader], [number, TcpWriter]];
  t.true(reader instanceof TcpReader && writer instanceof TcpWriter);
  poll.registry.register(split.client, 1, BOTH);
  t.is(readExactly(poll, reader, 6).toString(), 'unread');
  writeAll(poll, writer, Buffer.from('back'));
  t.is(readExactly(poll, split.client, 4).toString(), 'back');
  reader.close();
  writer.close();
  split.client.close();
  poll.close();
});

unless(onWindows, 'Windows has no Unix-domain sockets')('a Unix stream is split likewise', (t) => {
  using poll = new Poll({ ioThread });
  const [ours, theirs] = UnixStream.pair();
  poll.registry.register(theirs, 1, BOTH);
  const names = structuredClone(ours.split(ioThread));
  using reader = UnixReader.attach(names.reader);
  using writer = UnixWriter.attach(names.writer);
  poll.registry.register(reader, READER, BOTH);
  poll.registry.register(writer, WRITER, BOTH);
  writeAll(poll, theirs, Buffer.from('in'));
  t.is(readExactly(poll, reader, 2).toString(), 'in');
  writeAll(poll, writer, Buffer.from('out'));
  writer.close();
  t.is(readToEnd(poll, theirs).toString(), 'out');
  t.is(reader.peerName(), undefined);
  theirs.close();
  t.is(readToEnd(poll, reader).length, 0);
});
