/** Brings a thread into the situation in which it is then ended. sideport is imported only where it is measured. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Library, Situation } from './paths.js';

const CONNECTIONS = 20;

/** What must not be collected before the end. */
const kept: unknown[] = [];

export async function occupy(library: Library, situation: Situation): Promise<void> {
  if (library === 'sideport') await startIoThread();
  if (situation === 'idle') return;
  if (library === 'sideport') await openSideportSockets();
  else await openNodeSockets();
}

/** Starts this process's I/O thread, unless another thread has; the name of the backend that runs. */
export async function startIoThread(): Promise<string> {
  const { IoThread } = await import('../../src/index.js');
  return IoThread.default().backend;
}

/** Blocks this thread for ever, as a thread that only serves sockets does. */
export async function block(library: Library): Promise<never> {
  if (library === 'plain') {
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
  const { Events, Poll } = await import('../../src/index.js');
  const poll = new Poll();
  for (;;) poll.poll(new Events(1));
}

async function openSideportSockets(): Promise<void> {
  const { Events, Interest, Poll, TcpListener, TcpStream } = await import('../../src/index.js');
  const poll = new Poll();
  const events = new Events();
  const listener = TcpListener.bind({ host: '127.0.0.1', port: 0 });
  poll.registry.register(listener, 0, Interest.READABLE);
  const { port } = listener.localAddress();
  for (let token = 1; token <= CONNECTIONS; token++) {
    const stream = TcpStream.connect({ host: '127.0.0.1', port });
    poll.registry.register(stream, token, Interest.READABLE | Interest.WRITABLE);
    kept.push(stream);
  }
  for (let accepted = 0; accepted < CONNECTIONS; ) {
    poll.poll(events, 10_000);
    for (let next = listener.accept(); next; next = listener.accept()) {
      poll.registry.register(next.stream, CONNECTIONS + ++accepted, Interest.READABLE);
      kept.push(next.stream);
    }
  }
  kept.push(poll, listener);
}

/** Unreferenced, because sideport's open sockets do not keep a process alive either. */
async function openNodeSockets(): Promise<void> {
  const accepted: Socket[] = [];
  const server = createServer((socket) => accepted.push(socket.unref()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let count = 0; count < CONNECTIONS; count++) {
    const arrived = once(server, 'connection');
    const socket = connect(port, '127.0.0.1');
    await Promise.all([arrived, once(socket, 'connect')]);
    kept.push(socket.unref());
  }
  server.unref();
}
