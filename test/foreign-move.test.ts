import { closeSync } from 'node:fs';
import test from 'ava';
import { Events, ForeignStream, Interest, type IoThread, Poll, type SystemError, TcpStream } from '../src/index.js';
import { loadAddon } from '../src/native.js';
import type { HeirData } from './fixtures/heir.js';
import { expectEvents } from './util/expect-events.js';
import { openPipe } from './util/handles.js';
import { ioThreadFor } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { onWindows, unless } from './util/platform.js';
import { BOTH, readExactly, readToEnd, writeAll } from './util/streams.js';
import { TestThread } from './util/thread.js';

const posix = unless(onWindows, 'Windows has no descriptors of pipes that are open for one direction');

const HIGH = 256 * 1024;
const ioThread = ioThreadFor(test, {
  sendHighWaterBytes: HIGH,
  sendLowWaterBytes: 32 * 1024,
  receiveBufferSize: 4096,
  transferTimeoutMs: 30_000,
});
const hasty = ioThreadFor(test, { transferTimeoutMs: 1 });

const [READER, WRITER, MOVED] = [1, 2, 3];

/** Both ends on one Poll. */
class Ends {
  readonly poll: Poll;
  readonly reader: ForeignStream;
  readonly writer: ForeignStream;

  constructor(of: IoThread = ioThread) {
    this.poll = new Poll({ ioThread: of });
    const { reader, writer } = openPipe();
    this.reader = ForeignStream.fromDescriptor(reader);
    this.writer = ForeignStream.fromDescriptor(writer);
    this.poll.registry.register(this.reader, READER, Interest.READABLE);
    this.poll.registry.register(this.writer, WRITER, Interest.WRITABLE);
    expectEvents(this.poll, { token: WRITER, writable: true });
  }

  /** As another thread would: through a structured clone, and registered again. */
  move(stream: ForeignStream): ForeignStream {
    const moved = ForeignStream.attach(structuredClone(stream.detach()));
    this.poll.registry.register(moved, MOVED, BOTH);
    return moved;
  }

  [Symbol.dispose](): void {
    this.reader.abort();
    this.writer.abort();
    this.poll.close();
  }
}

const pattern = new Pattern(6, 2 ** 24);

test('a foreign stream moves with what is unread: read in part, in buffers, and not yet seen', (t) => {
  using ends = new Ends();
  writeAll(ends.poll, ends.writer, pattern.at(0, 10_000));
  t.true(pattern.matches(0, readExactly(ends.poll, ends.reader, 100)));
  using moved = ends.move(ends.reader);
  t.true(ends.reader.closed);
  writeAll(ends.poll, ends.writer, pattern.at(10_000, 1000));
  t.true(pattern.matches(100, readExactly(ends.poll, moved, 10_900)));
});

test('accepted writes to a foreign stream go before those of the next owner, whatever is pending', (t) => {
  using ends = new Ends();
  let writer = ends.writer;
  let written = 0;
  const events = new Events();
  // Nobody reads yet: the kernel takes what it can, the rest waits, some of it for each of the owners.
  for (let owner = 0; owner < 5; owner++) {
    written += writer.write(pattern.at(written, 30_000)) ?? 0;
    ends.poll.poll(events, 0);
    writer = ends.move(writer);
  }
  t.true(written > 65_536, `${written} are more than a pipe holds`);
  writer.close();
  const got = readToEnd(ends.poll, ends.reader);
  t.is(got.length, written);
  t.true(pattern.matches(0, got));
});

test('water marks of a foreign stream are kept: a full one is full at the next owner', (t) => {
  using ends = new Ends();
  const events = new Events();
  const reader = ends.reader.detach();
  do while (ends.writer.write(Buffer.alloc(65_536)) !== null);
  while (ends.poll.poll(events, 50) > 0 || ends.writer.write(Buffer.alloc(1)) !== null);
  using moved = ends.move(ends.writer);
  t.is(moved.write(Buffer.alloc(1)), null);
  using again = ForeignStream.attach(reader);
  ends.poll.registry.register(again, READER, Interest.READABLE);
  const into = Buffer.alloc(65_536);
  for (let writable = false; !writable; ) {
    for (let count = again.read(into); count !== null; count = again.read(into));
    if (ends.poll.poll(events, 10_000) === 0) return t.fail('never writable again');
    writable = [...events].some(({ token, isWritable }) => token === MOVED && isWritable);
  }
  t.is(moved.write(Buffer.alloc(1000)), 1000);
});

test('the end of a foreign stream goes along: seen, and not yet seen', (t) => {
  for (const see of [true, false]) {
    using ends = new Ends();
    writeAll(ends.poll, ends.writer, Buffer.from('last words'));
    ends.writer.close();
    if (see) expectEvents(ends.poll, { token: READER, readable: true, readClosed: true });
    using moved = ends.move(ends.reader);
    t.is(readToEnd(ends.poll, moved).toString(), 'last words');
    t.is(moved.read(Buffer.alloc(1)), 0);
  }
});

posix('what was opened for one direction is so at the next owner, and the one after', (t) => {
  using ends = new Ends();
  using reader = ends.move(ends.move(ends.reader));
  t.throws(() => reader.write(Buffer.from('x')), { code: 'EBADF' });
  using writer = ForeignStream.attach(ForeignStream.attach(ends.writer.detach()).detach());
  ends.poll.registry.register(writer, WRITER, BOTH);
  t.throws(() => writer.read(Buffer.alloc(1)), { code: 'EBADF' });
  const seen = expectEvents(ends.poll, { token: WRITER, writable: true });
  t.false(seen.some(({ token, writable }) => token === MOVED && writable));
  t.throws(() => writer.shutdown('write'), { code: 'ERR_SIDEPORT_UNSUPPORTED' });
  writeAll(ends.poll, writer, Buffer.from('through'));
  t.is(readExactly(ends.poll, reader, 7).toString(), 'through');
});

posix('a write that fails after the move is an error of the new owner', (t) => {
  using poll = new Poll({ ioThread });
  const { reader, writer } = openPipe();
  const first = ForeignStream.fromDescriptor(writer);
  poll.registry.register(first, WRITER, Interest.WRITABLE);
  expectEvents(poll, { token: WRITER, writable: true });
  while (first.write(Buffer.alloc(65_536)) !== null);
  using moved = ForeignStream.attach(first.detach());
  poll.registry.register(moved, MOVED, Interest.WRITABLE);
  closeSync(reader);
  expectEvents(poll, { token: MOVED, error: true, writeClosed: true });
  t.like(moved.takeError() as SystemError, { code: 'EPIPE', syscall: 'write' });
});

test("a foreign stream's name is good for one attach, of its own kind", (t) => {
  using ends = new Ends();
  const name = ends.reader.detach();
  t.throws(() => TcpStream.attach(name as never), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  using moved = ForeignStream.attach(name);
  for (const again of [name, structuredClone(name)])
    t.throws(() => ForeignStream.attach(again), { code: 'ERR_SIDEPORT_TRANSFER_USED' });
  ends.poll.registry.register(moved, MOVED, Interest.READABLE);
  writeAll(ends.poll, ends.writer, Buffer.from('mine'));
  t.is(readExactly(ends.poll, moved, 4).toString(), 'mine');
});

test('with an outstanding lease a foreign stream is not detached, and goes on', (t) => {
  using ends = new Ends();
  writeAll(ends.poll, ends.writer, Buffer.from('lent'));
  expectEvents(ends.poll, { token: READER, readable: true });
  const lease = ends.reader.take();
  t.throws(() => ends.reader.detach(), { code: 'ERR_SIDEPORT_LEASE_HELD' });
  lease?.release();
  using moved = ends.move(ends.reader);
  writeAll(ends.poll, ends.writer, Buffer.from('more'));
  t.is(readExactly(ends.poll, moved, 4).toString(), 'more');
});

test('a foreign stream of another I/O thread is not detached to this one', (t) => {
  using ends = new Ends();
  t.throws(() => ends.reader.detach(hasty), { code: 'ERR_SIDEPORT_OTHER_IO_THREAD' });
  t.false(ends.reader.closed);
});

test('a foreign stream that nobody attaches in time is closed, and its accepted writes performed', (t) => {
  using ends = new Ends(hasty);
  writeAll(ends.poll, ends.writer, Buffer.from('last words'));
  const name = ends.writer.detach();
  // The end of the pipe: by then the writer has expired.
  t.is(readToEnd(ends.poll, ends.reader).toString(), 'last words');
  t.throws(() => ForeignStream.attach(name), { code: 'ERR_SIDEPORT_TRANSFER_EXPIRED' });
});

test('a Poll that moves takes its foreign streams along, with what is unread and what is unsent', (t) => {
  using ends = new Ends();
  const moving = new Poll({ ioThread });
  const { reader, writer } = openPipe();
  const mine = ForeignStream.fromDescriptor(writer);
  moving.registry.register(ForeignStream.fromDescriptor(reader), READER, Interest.READABLE);
  ends.poll.registry.register(mine, MOVED, Interest.WRITABLE);
  expectEvents(ends.poll, { token: MOVED, writable: true });
  writeAll(ends.poll, mine, pattern.at(0, 20_000));
  const { poll, sources } = Poll.attach(structuredClone(moving.detach()));
  const [[token, source] = []] = sources;
  t.is(token, READER);
  if (!(source instanceof ForeignStream)) return t.fail('no foreign stream came along');
  t.true(pattern.matches(0, readExactly(poll, source, 20_000)));
  source.close();
  mine.close();
  poll.close();
});

test('a foreign stream goes on in another thread', async (t) => {
  using ends = new Ends();
  writeAll(ends.poll, ends.writer, pattern.at(0, 20_000));
  const data: HeirData = { ioThread: ioThread.share(), name: ends.reader.detach() };
  const heir = new TestThread<number>('heir', data);
  writeAll(ends.poll, ends.writer, pattern.at(20_000, 30_000));
  ends.writer.close();
  t.is(await heir.finish(), 50_000);
});

posix('foreign streams that move and close at any moment leave no descriptor', async (t) => {
  const { countDescriptors } = loadAddon();
  const before = countDescriptors();
  for (let round = 0; round < 16; round++) {
    using ends = new Ends();
    if (round & 1) ends.writer.write(Buffer.alloc(200_000));
    if (round & 2) ends.poll.poll(new Events(), 5);
    const reader = ForeignStream.attach(ends.reader.detach());
    const writer = ForeignStream.attach(ends.writer.detach());
    if (round & 4) ends.poll.registry.register(reader, READER, BOTH);
    if (round & 8) reader.close();
    else reader.abort();
    writer.abort();
  }
  for (const untilMs = performance.now() + 5000; countDescriptors() > before && performance.now() < untilMs; )
    await new Promise((resolve) => setTimeout(resolve, 10));
  t.true(countDescriptors() <= before);
});
