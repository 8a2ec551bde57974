import { closeSync, openSync, writeSync } from 'node:fs';
import test from 'ava';
import { Events, NamedPipe, Poll, type SystemError } from '../src/index.js';
import { expectEvents } from './util/expect-events.js';
import { ioThreadFor } from './util/io-thread.js';
import { Pattern } from './util/pattern.js';
import { newName, pair, readMessage, SERVER, windows } from './util/pipes.js';
import { BOTH, readToEnd } from './util/streams.js';

// Small buffers, so that messages need several.
const ioThread = ioThreadFor(test, { receiveBufferSize: 4096, sendBufferSize: 16_384, sendHighWaterBytes: 65_536 });
const newPoll = () => new Poll({ ioThread });
const text = (string: string) => Buffer.from(string);
const bytesOf = new Pattern(7, 100_000);
const pattern = (length: number) => bytesOf.at(0, length);

windows('messages stay apart, however they are read', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll, { mode: 'message' });
  for (const message of ['one', 'two', 'three', 'four', 'five']) t.is(client.write(text(message)), message.length);
  const into = Buffer.alloc(100);
  t.is(readMessage(poll, server, into).toString(), 'one');
  t.false(server.midMessage);
  while (server.peek(into) === null) poll.poll(new Events(), 1000);
  t.is(server.peek(into), 3, 'peeking sees one message');
  t.is(readMessage(poll, server, into.subarray(0, 2)).toString(), 'tw');
  t.true(server.midMessage, 'the rest of it follows');
  t.is(readMessage(poll, server, into).toString(), 'o');
  t.false(server.midMessage);
  while (server.peek(into) === null) poll.poll(new Events(), 1000);
  t.is(server.readv([into.subarray(0, 2), into.subarray(2, 100)]), 5, 'a vectored read ends with the message');
  t.is(into.toString('latin1', 0, 5), 'three');
  let lease = server.take();
  for (const events = new Events(); !lease; lease = server.take()) poll.poll(events, 1000);
  t.is(Buffer.from(lease.copy()).toString(), 'four');
  lease.release();
  t.is(readMessage(poll, server, into.subarray(0, 4)).toString(), 'five');
  t.false(server.midMessage, 'read to its last byte');
  client.close();
  server.close();
});

windows('a message longer than a receive buffer comes in parts, and is told where it ends', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll, { mode: 'message' });
  const long = pattern(16_384);
  t.is(client.write(long), long.length);
  t.is(client.write(text('short')), 5);
  const into = Buffer.alloc(20_000);
  const parts: Buffer[] = [];
  do parts.push(readMessage(poll, server, into));
  while (server.midMessage);
  t.true(Buffer.concat(parts).equals(long));
  t.is(readMessage(poll, server, into).toString(), 'short');
  t.is(server.write(long), long.length);
  const leased: Uint8Array[] = [];
  do {
    const lease = client.take();
    if (lease) leased.push(lease.copy());
    else poll.poll(new Events(), 1000);
    lease?.release();
  } while (leased.length === 0 || client.midMessage);
  t.true(leased.length >= 4, 'a lease is one buffer’s worth');
  t.true(Buffer.concat(leased).equals(long));
  client.close();
  server.close();
});

windows('empty messages are not told, and are no end', (t) => {
  using poll = newPoll();
  const name = newName();
  using server = NamedPipe.create(name, { mode: 'message' });
  poll.registry.register(server, SERVER, BOTH);
  const fd = openSync(name, 'r+');
  expectEvents(poll, { token: SERVER, writable: true });
  for (const message of ['', 'one', '', '', 'two', '']) writeSync(fd, Buffer.from(message));
  t.is(readMessage(poll, server, Buffer.alloc(10)).toString(), 'one');
  t.is(readMessage(poll, server, Buffer.alloc(10)).toString(), 'two');
  t.is(poll.poll(new Events(), 50), 0);
  t.is(server.read(Buffer.alloc(10)), null);
  writeSync(fd, 'three');
  t.is(readMessage(poll, server, Buffer.alloc(10)).toString(), 'three');
  closeSync(fd);
  t.is(readToEnd(poll, server).length, 0);
});

windows('a message is taken whole or not at all', (t) => {
  using poll = newPoll();
  const { server, client } = pair(poll, { mode: 'message' });
  const tooLong = t.throws(() => client.write(Buffer.alloc(16_385))) as SystemError;
  t.deepEqual([tooLong.code, tooLong.syscall], ['EMSGSIZE', 'write']);
  t.is(client.write(Buffer.alloc(0)), 0, 'an empty message is none');
  let taken = 0;
  for (let count = client.write(Buffer.alloc(10_000, 0)); count !== null; ) {
    t.is(count, 10_000);
    count = client.write(Buffer.alloc(10_000, ++taken));
  }
  for (let at = 0; at < taken; at++) {
    const parts: Buffer[] = [];
    do parts.push(readMessage(poll, server, Buffer.alloc(10_000)));
    while (server.midMessage);
    t.true(Buffer.concat(parts).equals(Buffer.alloc(10_000, at)));
  }
  while (client.write(Buffer.alloc(10_000)) === null) poll.poll(new Events(), 1000);
  client.close();
  server.close();
});
