/** One start, in a process of its own: `child.js sideport|net`. Prints one line of JSON. */
import { type AddressInfo, connect, createServer } from 'node:net';
import type { Start } from './start.js';

const [, , server] = process.argv;

process.stdin.resume().unref();
console.log(JSON.stringify(server === 'sideport' ? await sideport() : await net()));
process.exit();

async function sideport(): Promise<Start> {
  const { Events, Interest, Poll, TcpListener, TcpStream } = await import('sideport');
  const residentBefore = process.memoryUsage.rss();
  const beginMs = performance.now();
  const poll = new Poll();
  const pollMs = performance.now() - beginMs;
  const listener = TcpListener.bind({ host: '127.0.0.1', port: 0 });
  poll.registry.register(listener, 0, Interest.READABLE);
  const stream = TcpStream.connect({ host: '127.0.0.1', port: listener.localAddress().port });
  poll.registry.register(stream, 1, Interest.WRITABLE);
  const events = new Events();
  while (!listener.accept()) await poll.wait(events);
  return { pollMs, acceptedMs: performance.now() - beginMs, residentBytes: process.memoryUsage.rss() - residentBefore };
}

function net(): Promise<Start> {
  const residentBefore = process.memoryUsage.rss();
  const beginMs = performance.now();
  return new Promise((resolve) => {
    const listener = createServer(() => {
      const acceptedMs = performance.now() - beginMs;
      resolve({ pollMs: 0, acceptedMs, residentBytes: process.memoryUsage.rss() - residentBefore });
    });
    listener.listen(0, '127.0.0.1', () => connect((listener.address() as AddressInfo).port, '127.0.0.1'));
  });
}
