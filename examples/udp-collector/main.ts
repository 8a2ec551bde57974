/**
 * Collects datagrams, as a metrics server does, while this thread is busy with other things half of the time. The I/O thread goes on
 * receiving, and says of each datagram when it arrived; none is lost.
 *
 *     node dist/examples/udp-collector/main.js [datagrams]
 */
import { createSocket } from 'node:dgram';
import { Events, Interest, Poll, UdpSocket } from 'sideport';

const count = Number(process.argv[2] ?? 2000);
const BUSY_MS = 50;

using poll = new Poll();
using collector = UdpSocket.bind({ host: '127.0.0.1', port: 0 });
collector.setReceiveBufferSize(2 ** 22);
poll.registry.register(collector, 0, Interest.READABLE);

// The world: somebody who sends, through Node's own sockets.
const sender = createSocket('udp4');
const { port } = collector.localAddress();
for (let at = 0; at < count; at++) sender.send(`requests:1|c`, port, '127.0.0.1');

const sums = new Map<string, number>();
let received = 0;
let longestWaitMs = 0;
const events = new Events();
while (received < count) {
  await poll.wait(events);
  busy();
  const nowMs = performance.now();
  for (let datagram = collector.take(); datagram; datagram = collector.take()) {
    const [name = '', rest = ''] = Buffer.from(datagram.copy()).toString().split(':');
    sums.set(name, (sums.get(name) ?? 0) + Number.parseInt(rest, 10));
    longestWaitMs = Math.max(longestWaitMs, nowMs - datagram.arrivedMs);
    received++;
    datagram.release();
  }
}
sender.close();
console.log(`${received} datagrams, ${sums.get('requests')} requests`);
console.log(`the longest waited ${Math.round(longestWaitMs)} ms for this thread`);

/** What a program does besides. */
function busy(): void {
  const untilMs = performance.now() + BUSY_MS;
  while (performance.now() < untilMs);
}
