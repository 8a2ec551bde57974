/**
 * A chat. Each guest is served by one of two threads; what a guest says reaches the guests of the other thread through channels. All
 * threads are clients of one I/O thread.
 *
 *     node dist/examples/chat/main.js [port]
 *
 * With a port it serves there (try `nc 127.0.0.1 PORT`) until it is interrupted; without one it lets three guests talk and ends.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { channel, Events, Interest, IoThread, Poll, TcpListener } from 'sideport';
import type { RoomData, Said } from './room.js';

const ROOMS = 2;
const LISTENER = 0;
const SAID = 1;

const ioThread = IoThread.default();
const poll = new Poll();
const listener = TcpListener.bind({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) });
const { sender, receiver } = channel<Said>();

const rooms = await Promise.all(Array.from({ length: ROOMS }, (_, room) => openRoom(room)));
sender.close();
const demonstration = process.argv[2] === undefined ? demonstrate(listener.localAddress().port) : undefined;

poll.registry.register(listener, LISTENER, Interest.READABLE);
poll.registry.register(receiver, SAID, Interest.READABLE);
const events = new Events();
let over = false;
void demonstration?.then(() => {
  over = true;
  poll.interrupt();
});
for (let guests = 0; !over; ) {
  await poll.wait(events);
  for (let accepted = listener.accept(); accepted; accepted = listener.accept()) {
    const room = rooms[guests++ % ROOMS] as Worker;
    const stream = accepted.stream.detach();
    room.postMessage({ guest: guests, stream });
  }
  for (let said = receiver.recv(); said; said = receiver.recv()) {
    for (const room of rooms) room.postMessage({ said: said.value });
  }
}
listener.close();
receiver.close();
poll.close();
await Promise.all(rooms.map((room) => room.terminate()));

async function openRoom(room: number): Promise<Worker> {
  const shared = sender.share();
  const workerData: RoomData = { ioThread: ioThread.share(), room, sender: shared };
  const worker = new Worker(new URL('./room.js', import.meta.url), { workerData, transferList: [shared.port] });
  await once(worker, 'online');
  return worker;
}

/** Three guests: each says one line, and waits until it has heard all three. */
async function demonstrate(port: number): Promise<void> {
  const guests = await Promise.all(['ada', 'ben', 'cy'].map((name) => enter(port, name)));
  for (const { name, socket } of guests) socket.write(`${name} was here\n`);
  const heard = await Promise.all(guests.map(({ socket }) => linesOf(socket, 3)));
  for (const lines of heard) console.log(lines.sort().join(', '));
  for (const { socket } of guests) socket.destroy();
}

async function enter(port: number, name: string): Promise<{ name: string; socket: Socket }> {
  const socket = connect(port, '127.0.0.1');
  // Its room greets whoever it has taken in.
  await linesOf(socket, 1);
  return { name, socket };
}

async function linesOf(socket: Socket, count: number): Promise<string[]> {
  let text = '';
  while (text.split('\n').length <= count) text += (await once(socket, 'data'))[0];
  return text.trim().split('\n');
}
