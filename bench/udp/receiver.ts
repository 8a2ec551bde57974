/**
 * One receiver in a process of its own: `receiver.js KIND [BUFFER_BYTES]`. Its main thread sleeps for 100 of every 200 ms. Prints its port, receives
 * until its standard input ends and nothing comes any more, prints what it got.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Events, Interest, IoThread, Poll, UdpSocket } from '../../src/index.js';
import { quantile } from '../lib/statistics.js';
import type { Delay, Kind, Received } from './kinds.js';

const STALL_MS = 100;
/** Nothing came for so long: nothing comes any more. */
const QUIET_MS = 400;

const [, , kind, bufferBytes] = process.argv as [string, string, Kind, string?];
const receiveBufferSize = bufferBytes === undefined ? undefined : Number(bufferBytes);
const [seconds, nanoseconds] = process.hrtime();
const clockOffsetMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now();

let received = 0;
let lastMs = performance.now();
/** From the sending to this thread, and to the moment that the receiver calls the arrival. */
const readMs: number[] = [];
const arrivedMs: number[] = [];

function take(bytes: Uint8Array, atMs: number, stampMs: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const sentMs = Number(view.getBigUint64(8, true)) / 1e6 - clockOffsetMs;
  received++;
  lastMs = atMs;
  readMs.push(atMs - sentMs);
  arrivedMs.push(stampMs - sentMs);
}

function stall(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STALL_MS);
  setTimeout(stall, STALL_MS);
}

let sendingEnded = false;
process.stdin.on('end', () => {
  sendingEnded = true;
  lastMs = performance.now();
});
process.stdin.resume();

function isOver(): boolean {
  return sendingEnded && performance.now() - lastMs > QUIET_MS;
}

async function dgram(): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes) => {
    const nowMs = performance.now();
    take(bytes, nowMs, nowMs);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  if (receiveBufferSize !== undefined) socket.setRecvBufferSize(receiveBufferSize);
  console.log(socket.address().port);
  stall();
  while (!isOver()) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function sideport(): Promise<void> {
  const ioThread = IoThread.start();
  const poll = new Poll({ ioThread });
  const size = receiveBufferSize === undefined ? {} : { receiveBufferSize };
  const socket = UdpSocket.bind({ host: '127.0.0.1', port: 0, ...size });
  poll.registry.register(socket, 0, Interest.READABLE);
  console.log(socket.localAddress().port);
  stall();
  const events = new Events();
  while (!isOver()) {
    await poll.wait(events, 50);
    for (let datagram = socket.take(); datagram; datagram = socket.take()) {
      take(datagram.bytes, performance.now(), datagram.arrivedMs);
      datagram.release();
    }
  }
}

await (kind === 'dgram' ? dgram() : sideport());
console.log(JSON.stringify({ received, readMs: summary(readMs), arrivedMs: summary(arrivedMs) } satisfies Received));
process.exit(0);

function summary(values: readonly number[]): Delay {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99) };
}
