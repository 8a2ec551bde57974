/**
 * Echo handlers in a piscina pool. Each thread of the pool is a client of the process's one I/O thread and serves its own share of
 * the connections; the main thread takes no part in it.
 *
 *     node dist/examples/echo-pool/main.js [threads]
 *
 * The threads share one port: each binds a listener of its own to it (`reusePort`), and the kernel deals the connections.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { IoThread, Poll, type SharedPoll, TcpListener } from 'sideport';
import type { EchoTask, Served } from './handler.js';

const threads = Number(process.argv[2] ?? 2);
const CONNECTIONS = 16;
const MESSAGES = 200;

// Started here, on the main thread, so that it lives as long as the program: the pool's threads come and go.
const ioThread = IoThread.default();
const pool = new Piscina({
  filename: new URL('./handler.js', import.meta.url).href,
  minThreads: threads,
  maxThreads: threads,
  // By default piscina freezes a thread's event loop between tasks, and with it what else the thread awaits.
  atomics: 'disabled',
});

// Port 0 takes any free port; it stays reserved while at least one listener has it.
const reservation = TcpListener.bind({ host: '127.0.0.1', port: 0, reusePort: true });
const { port } = reservation.localAddress();
const handlers = Array.from({ length: threads }, () => startHandler());
const polls = await Promise.all(handlers.map(({ ready }) => ready));
reservation.close();

await Promise.all(Array.from({ length: CONNECTIONS }, (_, at) => drive(at)));

for (const poll of polls) Poll.from(poll).interrupt();
const served = await Promise.all(handlers.map(({ served }) => served));
for (const { threadId, connections, messages } of served) {
  console.log(`thread ${threadId}: ${connections} connections, ${messages} messages`);
}
console.log(`${served.reduce((sum, { messages }) => sum + messages, 0)} messages echoed by ${threads} threads`);
await pool.destroy();

/** One task a thread, which ends when its Poll is interrupted. */
function startHandler(): { ready: Promise<SharedPoll>; served: Promise<Served> } {
  const { port1, port2 } = new MessageChannel();
  const task: EchoTask = { ioThread: ioThread.share(), port, ready: port2 };
  const served = pool.run(task, { transferList: [port2] }) as Promise<Served>;
  const ready = once(port1, 'message').then(([poll]) => poll as SharedPoll);
  return { ready: Promise.race([ready, served.then(() => ready)]), served };
}

/** A client with one message in flight. */
async function drive(at: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  for (let message = 0; message < MESSAGES; message++) {
    const text = `message ${message} of connection ${at}`;
    socket.write(text);
    let echo = '';
    while (echo.length < text.length) echo += (await once(socket, 'data'))[0];
    if (echo !== text) throw new Error(`sent ${text}, got ${echo}`);
  }
  socket.end();
  await once(socket, 'close');
}
