/**
 * A stream that finds no room after all of its sends completed unheard is told of the room all the same: completed sends ring
 * no bell before somebody wishes for room, and a wait that is pending has looked before the wish.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { Events, Poll, TcpStream } from '../../src/index.js';
import { Header } from '../../src/protocol/client-memory.js';
import { ioThreadFor } from '../util/io-thread.js';
import { BOTH } from '../util/streams.js';

const sendHighWaterBytes = 4096;
const ioThread = ioThreadFor(test, { sendHighWaterBytes });

test.serial('a write while a wait is pending is told of room that was there before it', async (t) => {
  const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const poll = new Poll({ ioThread });
  const stream = TcpStream.connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  poll.registry.register(stream, 1, BOTH);
  const events = new Events(4);
  t.is(await poll.wait(events), 1);

  // No time-out: its last look would find what the doorbell missed.
  const waiting = poll.wait(events, undefined, { signal: AbortSignal.timeout(10_000) });
  // Until SENT is published. Nothing else may be asked of the I/O thread here: whoever asks, looks.
  const { words } = ioThread.client();
  const published = Atomics.load(words, Header.EVENT_TAIL);
  t.is(stream.write(new Uint8Array(sendHighWaterBytes)), sendHighWaterBytes);
  while (Atomics.load(words, Header.EVENT_TAIL) === published) await setTimeout(1);

  t.is(stream.write(new Uint8Array(1)), null);
  t.is(await waiting, 1);
  t.true([...events].every((event) => event.isWritable));
  t.is(stream.write(new Uint8Array(1)), 1);

  stream.abort();
  poll.close();
  server.close();
});
