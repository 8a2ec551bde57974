import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  Events,
  ForeignStream,
  Interest,
  NamedPipe,
  Poll,
  PollOpt,
  type SystemError,
  TcpStream,
} from '../src/index.js';
import { loadAddon } from '../src/native.js';
import { expectEvents } from './util/expect-events.js';
import { openFifo, openHandle, openPipeServer, openSynchronous } from './util/handles.js';
import { ioThreadFor, quiet } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { newName } from './util/pipes.js';
import { onWindows, unless } from './util/platform.js';
import { BOTH, readExactly, readToEnd, writeAll } from './util/streams.js';

const posix = unless(onWindows, 'Windows has no descriptors of pipes and devices');
const windows = unless(!onWindows, 'only Windows has handles');

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });
const text = (string: string) => Buffer.from(string);
const folder = mkdtempSync(join(tmpdir(), 'sideport-foreign-'));
test.after.always('the files are removed', () => rmSync(folder, { recursive: true, force: true }));
let names = 0;
const newPath = () => join(folder, `${names++}`);

const pipe = () => openFifo(newPath());

posix('the ends of a pipe are sources: bytes come in order, then the end', (t) => {
  using poll = newPoll();
  const ends = pipe();
  const reader = ForeignStream.fromDescriptor(ends.reader);
  const writer = ForeignStream.fromDescriptor(ends.writer);
  t.is(writer.write(text('early')), null, 'nothing is ready unless registered');
  poll.registry.register(reader, 1, BOTH);
  poll.registry.register(writer, 2, BOTH);
  const seen = expectEvents(poll, { token: 2, writable: true });
  t.false(
    seen.some(({ token, writable }) => token === 1 && writable),
    'what is open for reading is never writable',
  );
  const bytes = new Pattern(3, 500_000).at(0, 500_000);
  for (let at = 0; at < bytes.length; at += 100_000) {
    writeAll(poll, writer, bytes.subarray(at, at + 100_000));
    t.true(readExactly(poll, reader, 100_000).equals(bytes.subarray(at, at + 100_000)));
  }
  t.is(writer.write(text('last words')), 10);
  writer.close();
  t.is(readToEnd(poll, reader).toString(), 'last words');
  reader.close();
});

posix('what was opened for one direction refuses the other', (t) => {
  using poll = newPoll();
  const ends = pipe();
  using reader = ForeignStream.fromDescriptor(ends.reader);
  using writer = ForeignStream.fromDescriptor(ends.writer);
  poll.registry.register(reader, 1, BOTH);
  poll.registry.register(writer, 2, BOTH);
  for (const call of [() => reader.write(text('x')), () => writer.read(Buffer.alloc(1))]) {
    t.throws(call, { code: 'EBADF' });
  }
  t.throws(() => writer.shutdown('write'), { code: 'ERR_SIDEPORT_UNSUPPORTED' });
});

posix('a pipe that nobody reads is EPIPE at a later write', (t) => {
  using poll = newPoll();
  const ends = pipe();
  using writer = ForeignStream.fromDescriptor(ends.writer);
  closeSync(ends.reader);
  poll.registry.register(writer, 2, Interest.WRITABLE);
  const events = new Events();
  const error = t.throws(() => {
    for (let round = 0; round < 1000; round++) {
      writer.write(text('into the void'));
      poll.poll(events, 10);
    }
  }) as SystemError;
  t.deepEqual([error.code, error.syscall], ['EPIPE', 'write']);
});

posix('a full pipe is waited for, and a close performs what was written', (t) => {
  using poll = newPoll();
  const ends = pipe();
  const writer = ForeignStream.fromDescriptor(ends.writer);
  poll.registry.register(writer, 2, Interest.WRITABLE);
  expectEvents(poll, { token: 2, writable: true });
  const bytes = new Pattern(4, 400_000).at(0, 400_000);
  writeAll(poll, writer, bytes);
  writer.close();
  const into = Buffer.alloc(bytes.length);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += readSync(ends.reader, into, at, bytes.length - at, null);
    } catch (error) {
      if ((error as SystemError).code !== 'EAGAIN') throw error;
      poll.poll(new Events(), 5);
    }
  }
  t.true(into.equals(bytes));
  closeSync(ends.reader);
});

posix('edge, level and oneshot on a pipe', (t) => {
  using poll = newPoll();
  const ends = pipe();
  using reader = ForeignStream.fromDescriptor(ends.reader);
  using writer = ForeignStream.fromDescriptor(ends.writer);
  poll.registry.register(reader, 1, Interest.READABLE, PollOpt.LEVEL);
  poll.registry.register(writer, 2, Interest.WRITABLE);
  expectEvents(poll, { token: 2, writable: true });
  writer.write(text('stays'));
  for (let time = 0; time < 3; time++) expectEvents(poll, { token: 1, readable: true });
  poll.registry.reregister(reader, 3, Interest.READABLE, PollOpt.ONESHOT);
  expectEvents(poll, { token: 3, readable: true });
  t.is(poll.poll(new Events(), 0), 0);
});

test('what cannot be waited for, or has a source of its own, is refused, and stays as it was', (t) => {
  const path = newPath();
  writeFileSync(path, 'a file');
  const file = openSync(path, 'r');
  const socket = TcpStream.connect({ host: '127.0.0.1', port: 1 });
  for (const descriptor of [-1, 0.5, socket.fd, ...(onWindows ? [] : [file])]) {
    t.throws(() => ForeignStream.fromDescriptor(descriptor), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  t.throws(() => ForeignStream.fromDescriptor(99_996), { code: 'EBADF' });
  t.is(readSync(file, Buffer.alloc(10)), 6);
  closeSync(file);
  socket.close();
});

posix('closed at any moment, a pipe leaves neither an operation nor a descriptor', async (t) => {
  const { countDescriptors } = loadAddon();
  using poll = newPoll();
  poll.poll(new Events(), 0);
  const before = countDescriptors();
  for (let round = 0; round < 16; round++) {
    const ends = pipe();
    const reader = ForeignStream.fromDescriptor(ends.reader);
    const writer = ForeignStream.fromDescriptor(ends.writer);
    if (round & 1) poll.registry.register(reader, 1, BOTH);
    if (round & 2) poll.registry.register(writer, 2, BOTH);
    if (round & 4) poll.poll(new Events(), 20);
    if (round & 8) writer.write(Buffer.alloc(200_000));
    if (round & 1) writer.abort();
    else writer.close();
    if (round & 2) reader.close();
    else reader.abort();
  }
  for (const untilMs = performance.now() + 5000; countDescriptors() > before && performance.now() < untilMs; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.is(countDescriptors(), before);
});

windows('a handle that was opened for calls that wait is refused, and stays as it was', (t) => {
  const path = newPath();
  writeFileSync(path, 'a file');
  const file = openSynchronous(path);
  const refused = { code: 'ERR_SIDEPORT_INVALID_ARG' };
  t.throws(() => ForeignStream.fromDescriptor(file.handle), refused);
  t.throws(() => NamedPipe.fromDescriptor(file.handle), refused);
  t.is(readSync(file.fd, Buffer.alloc(10)), 6);
  closeSync(file.fd);
  const name = newName();
  using poll = newPoll();
  using server = NamedPipe.create(name);
  poll.registry.register(server, 1, BOTH);
  const end = openSynchronous(name);
  t.throws(() => ForeignStream.fromDescriptor(end.handle), refused);
  t.throws(() => NamedPipe.fromDescriptor(end.handle), refused);
  writeSync(end.fd, 'still mine');
  t.is(readExactly(poll, server, 10).toString(), 'still mine');
  closeSync(end.fd);
});

windows('a handle of a file is read from its beginning to its end, and written', async (t) => {
  using poll = newPoll();
  const [source, target] = [newPath(), newPath()];
  const bytes = new Pattern(5, 100_000).at(0, 100_000);
  writeFileSync(source, bytes);
  writeFileSync(target, Buffer.alloc(bytes.length));
  const reader = ForeignStream.fromDescriptor(openHandle(source));
  poll.registry.register(reader, 1, Interest.READABLE);
  t.true(readToEnd(poll, reader).equals(bytes));
  reader.close();
  const writer = ForeignStream.fromDescriptor(openHandle(target));
  poll.registry.register(writer, 2, Interest.WRITABLE);
  expectEvents(poll, { token: 2, writable: true });
  writeAll(poll, writer, bytes);
  writer.close();
  await quiet(ioThread);
  t.true(readFileSync(target).equals(bytes));
});

windows('a handle that another library opened is bound, whatever it is: here one end of a pipe', (t) => {
  using poll = newPoll();
  const name = newName();
  const ours = ForeignStream.fromDescriptor(openPipeServer(name));
  const theirs = ForeignStream.fromDescriptor(openHandle(name));
  poll.registry.register(ours, 1, BOTH);
  poll.registry.register(theirs, 2, BOTH);
  expectEvents(poll, { token: 1, writable: true }, { token: 2, writable: true });
  t.is(ours.write(text('hello')), 5);
  t.is(readExactly(poll, theirs, 5).toString(), 'hello');
  theirs.close();
  t.is(readToEnd(poll, ours).length, 0);
  ours.close();
});
