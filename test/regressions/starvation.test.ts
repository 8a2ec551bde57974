/**
 * A free receive buffer is not withheld from a stream that has something to receive: neither by an idle stream that was
 * armed before it, nor because the buffer came home by another way than RECYCLE.
 */
import test from 'ava';
import { Events, Interest, Poll, type TcpStream } from '../../src/index.js';
import { expectEvents } from '../util/expect-events.js';
import { ioThreadFor } from '../util/io-thread.js';
import { connectTo, listen, readExactly } from '../util/streams.js';

const STREAMS = 4;
const ioThread = ioThreadFor(test, { receiveBuffers: 1 });

test.serial('idle streams that wait for the only buffer do not keep it from the last of them', (t) => {
  const poll = new Poll({ ioThread });
  const listener = listen();
  poll.registry.register(listener, 0, Interest.READABLE);
  const peers: TcpStream[] = [];
  const streams: TcpStream[] = [];
  for (let n = 1; n <= STREAMS; n++) {
    const peer = connectTo(listener);
    poll.registry.register(peer, 100 + n, Interest.WRITABLE);
    expectEvents(poll, { token: 0, readable: true }, { token: 100 + n, writable: true });
    peers.push(peer);
    streams.push((listener.accept() as NonNullable<ReturnType<typeof listener.accept>>).stream);
  }

  // The first takes the buffer before the others, who therefore wait for it, ask for one.
  const [first, ...others] = streams as [TcpStream, ...TcpStream[]];
  poll.registry.register(first, 1, Interest.READABLE);
  (peers[0] as TcpStream).write(Buffer.from('1'));
  expectEvents(poll, { token: 1, readable: true });
  others.forEach((stream, at) => {
    poll.registry.register(stream, 2 + at, Interest.READABLE);
  });
  t.is(first.read(Buffer.alloc(1)), 1);

  // All but the last have nothing to receive.
  (peers[STREAMS - 1] as TcpStream).write(Buffer.from('4'));
  t.is(readExactly(poll, streams[STREAMS - 1] as TcpStream, 1).toString(), '4');
  t.is(poll.poll(new Events(), 0), 0);

  for (const source of [...streams, ...peers, listener]) source.close();
  poll.close();
});
