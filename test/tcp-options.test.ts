import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Interest, Poll, type SystemError, TcpListener, TcpStream, UdpSocket, UnixStream } from '../src/index.js';
import type { Descriptor } from '../src/native.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { onWindows, underWine, unless } from './util/platform.js';
import { addon } from './util/port-driver.js';
import { listeningSocket, withFileDescriptor } from './util/port-sockets.js';
import { BOTH, connectTo, listen, Pair, readExactly, readToEnd, writeAll } from './util/streams.js';

const ioThread = ioThreadFor(test);
const newPoll = () => new Poll({ ioThread });
const text = (string: string) => Buffer.from(string);

test('every option of a stream reads back what was set, before and after it is connected', (t) => {
  using pair = new Pair(ioThread);
  using fresh = TcpStream.connect({ host: '127.0.0.1', port: 1 });
  for (const stream of [fresh, pair.client, pair.server]) {
    t.is(stream.getLinger(), null);
    for (const seconds of [0, 5, null]) {
      stream.setLinger(seconds);
      t.is(stream.getLinger(), seconds);
    }
    stream.setReceiveBufferSize(16_384);
    const receiving = stream.getReceiveBufferSize();
    stream.setReceiveBufferSize(131_072);
    t.true(receiving >= 16_384 && stream.getReceiveBufferSize() > receiving);
    stream.setSendBufferSize(16_384);
    const sending = stream.getSendBufferSize();
    stream.setSendBufferSize(131_072);
    t.true(sending >= 16_384 && stream.getSendBufferSize() > sending);
    t.false(stream.isIpv6Only());
  }
});

unless(underWine, 'Wine has no TCP_KEEPIDLE')(
  'keeping alive reads back what was set, before and after connecting',
  (t) => {
    using pair = new Pair(ioThread);
    using fresh = TcpStream.connect({ host: '127.0.0.1', port: 1 });
    for (const stream of [fresh, pair.client, pair.server]) {
      t.is(stream.getKeepAlive(), null);
      stream.setKeepAlive(77);
      t.is(stream.getKeepAlive(), 77);
      stream.setKeepAlive(null);
      t.is(stream.getKeepAlive(), null);
    }
  },
);

test('options out of range are refused', (t) => {
  using pair = new Pair(ioThread);
  for (const bad of [0, -1, 1.5, 40_000]) {
    t.throws(() => pair.client.setKeepAlive(bad), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  for (const bad of [-1, 1.5, 70_000]) {
    t.throws(() => pair.client.setLinger(bad), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  }
  t.throws(() => pair.client.setSendBufferSize(0), { code: 'ERR_SIDEPORT_INVALID_ARG' });
});

test('whether an IPv6 listener refuses IPv4 can be asked', (t) => {
  using only = TcpListener.bind({ host: '::', port: 0, ipv6Only: true });
  using both = TcpListener.bind({ host: '::', port: 0 });
  using four = listen();
  t.deepEqual([only.isIpv6Only(), both.isIpv6Only(), four.isIpv6Only()], [true, false, false]);
});

test('a close with a linger time does not keep the I/O thread; one of 0 resets', async (t) => {
  using slow = new Pair(ioThread);
  slow.client.setLinger(60);
  slow.client.write(text('all the same'));
  slow.client.close();
  t.is(readToEnd(slow.poll, slow.server).toString(), 'all the same');
  using reset = new Pair(ioThread);
  reset.client.setLinger(0);
  reset.client.close();
  expectEvents(reset.poll, { token: 2, error: true });
  t.is(reset.server.takeError()?.code, 'ECONNRESET');
});

test('peeking leaves the bytes, over as many buffers as they lie in', (t) => {
  using pair = new Pair(ioThread);
  const bytes = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, at) => at % 251));
  writeAll(pair.poll, pair.client, bytes);
  const into = Buffer.alloc(bytes.length);
  while ((pair.server.peek(into) ?? 0) < bytes.length) expectEvents(pair.poll, { token: 2, readable: true });
  t.true(into.equals(bytes));
  const few = Buffer.alloc(3);
  t.is(pair.server.peek(few), 3);
  t.is(pair.server.read(few), 3);
  t.is(pair.server.peek(few), 3);
  t.deepEqual([...few], [3, 4, 5]);
  t.true(readExactly(pair.poll, pair.server, bytes.length - 3).equals(bytes.subarray(3)));
  t.is(pair.server.peek(few), null);
  t.is(pair.server.peek(Buffer.alloc(0)), 0);
  pair.client.close();
  expectEvents(pair.poll, { token: 2, readClosed: true });
  t.is(pair.server.peek(few), 0);
});

test('vectored reads and writes go through the buffers one after another', (t) => {
  using pair = new Pair(ioThread);
  t.is(pair.client.writev([text('ab'), text(''), text('cde')]), 5);
  t.is(pair.client.writev([]), 0);
  const parts = [Buffer.alloc(1), Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(9)];
  while ((pair.server.peek(Buffer.alloc(9)) ?? 0) < 5) expectEvents(pair.poll, { token: 2, readable: true });
  t.is(pair.server.readv(parts), 5);
  t.deepEqual(
    parts.map((part) => part.toString('latin1').replaceAll('\0', '')),
    ['a', '', 'bcd', 'e'],
  );
  t.is(pair.server.readv(parts), null);
  t.is(pair.server.readv([]), 0);
  pair.client.close();
  expectEvents(pair.poll, { token: 2, readClosed: true });
  t.is(pair.server.readv(parts), 0);
});

test('a vectored write that meets the high-water mark says how far it came', (t) => {
  using pair = new Pair(ioThread);
  const part = Buffer.alloc(400_000, 'x');
  const parts = Array.from({ length: 64 }, () => part);
  const count = pair.client.writev(parts);
  t.true(count !== null && count > 0 && count < 64 * part.length);
  const received = readExactly(pair.poll, pair.server, count as number);
  t.true(received.every((byte) => byte === 'x'.charCodeAt(0)));
});

test('a half-close either way leaves the other way open', (t) => {
  using pair = new Pair(ioThread);
  pair.client.shutdown('write');
  expectEvents(pair.poll, { token: 2, readClosed: true });
  t.is(pair.server.read(Buffer.alloc(1)), 0);
  t.is(pair.server.write(text('still')), 5);
  t.is(readExactly(pair.poll, pair.client, 5).toString(), 'still');
  t.throws(() => pair.client.write(text('x')), { code: 'EPIPE' });
  using other = new Pair(ioThread);
  other.client.shutdown('read');
  t.is(other.client.read(Buffer.alloc(1)), 0);
  t.is(other.client.write(text('goes on')), 7);
  t.is(readExactly(other.poll, other.server, 7).toString(), 'goes on');
});

test('a descriptor that is not what it is adopted as is refused, and stays as it was', (t) => {
  const socket = addon.socket.open(4) as Descriptor;
  const { fd } = socket;
  t.throws(() => TcpStream.fromDescriptor(fd), { code: 'ENOTCONN' });
  t.throws(() => TcpListener.fromDescriptor(fd), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  t.throws(() => UdpSocket.fromDescriptor(fd), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  t.throws(() => UnixStream.fromDescriptor(fd), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  t.is(addon.socket.localAddress(fd, new Uint8Array(24)), 0, 'still open');
  socket.close();
  t.throws(() => TcpStream.fromDescriptor(-1), { code: 'ERR_SIDEPORT_INVALID_ARG' });
  t.throws(() => TcpStream.fromDescriptor(99_999), { code: 'EBADF' });
  withFileDescriptor((fd) => t.throws(() => TcpStream.fromDescriptor(fd), { code: 'ENOTSOCK' }));
});

test('a listening descriptor is adopted', (t) => {
  using poll = newPoll();
  const { fd } = listeningSocket();
  using listener = TcpListener.fromDescriptor(fd);
  poll.registry.register(listener, 0, Interest.READABLE);
  using client = connectTo(listener);
  poll.registry.register(client, 1, BOTH);
  expectEvents(poll, { token: 0, readable: true }, { token: 1, writable: true });
  const accepted = listener.accept();
  t.is(accepted?.peer.port, client.localAddress().port);
  accepted?.stream.close();
});

unless(onWindows, 'Windows hands down no sockets as descriptors')(
  'a child adopts the connection that its parent hands down',
  async (t) => {
    using poll = newPoll();
    using listener = listen();
    poll.registry.register(listener, 0, Interest.READABLE);
    using client = connectTo(listener);
    poll.registry.register(client, 1, BOTH);
    expectEvents(poll, { token: 0, readable: true }, { token: 1, writable: true });
    const { stream } = listener.accept() ?? {};
    t.is(client.write(text('to the child')), 12);
    const fixture = fileURLToPath(new URL('./fixtures/adopter.js', import.meta.url));
    const child = spawn(process.execPath, [fixture], { stdio: ['ignore', 'pipe', 'inherit', stream?.fd] });
    t.is(readExactly(poll, client, 20).toString(), 'heard "to the child"');
    const [code] = await once(child, 'exit');
    t.is(code, 0);
    stream?.close();
  },
);

const scratch = mkdtempSync(join(tmpdir(), 'sideport-urgent-'));
const urgent = join(scratch, 'urgent');
const source = fileURLToPath(new URL('../../test/fixtures/urgent.c', import.meta.url));
const compiled = process.platform !== 'win32' && spawnSync('cc', ['-o', urgent, source]).status === 0;
test.after.always('the program is removed', () => rmSync(scratch, { recursive: true, force: true }));
// Node cannot send urgent data; a C program does. Without a compiler there is none.
unless(!compiled, 'no C compiler, or none for this system')(
  'urgent data does no harm: what is ordinary arrives, in order',
  async (t) => {
    using poll = newPoll();
    using listener = listen();
    poll.registry.register(listener, 0, Interest.READABLE);
    const child = spawn(urgent, [`${listener.localAddress().port}`]);
    const exited = once(child, 'exit');
    expectEvents(poll, { token: 0, readable: true });
    const { stream } = listener.accept() as { stream: TcpStream };
    poll.registry.register(stream, 1, Interest.READABLE);
    t.is(readToEnd(poll, stream).toString(), 'beforeafter');
    stream.close();
    t.is((await exited)[0], 0);
  },
);

test('a failed connect is told once, to whoever asks first', (t) => {
  using poll = newPoll();
  const listener = listen();
  const { port } = listener.localAddress();
  listener.close();
  using stream = TcpStream.connect({ host: '127.0.0.1', port });
  poll.registry.register(stream, 1, BOTH);
  expectEvents(poll, { token: 1, writable: true, readable: true, error: true });
  const error = stream.takeError() as SystemError;
  t.deepEqual([error.code, error.syscall, error.port], ['ECONNREFUSED', 'connect', port]);
  t.is(stream.takeError(), null);
  t.is(stream.read(Buffer.alloc(1)), 0);
  t.is(stream.takeError(), null);
});
