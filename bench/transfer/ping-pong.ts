/**
 * One connection goes back and forth between two threads, so many times: `ping-pong.js MOVES`, or as their worker. Whoever has it answers one message
 * on it before it goes on, so each move is one in mid-stream. Prints microseconds per move, the message included.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import {
  type DetachedStream,
  Events,
  Interest,
  IoThread,
  Poll,
  type SharedIoThread,
  TcpListener,
  TcpStream,
} from '../../src/index.js';

const WARM_UP = 200;
const BYTES = 64;
const into = new Uint8Array(BYTES);
const events = new Events();

/** Reads one message and answers it. */
function answer(poll: Poll, stream: TcpStream): void {
  for (let count = 0; count < BYTES; ) {
    const read = stream.read(into.subarray(count));
    if (read === null) poll.poll(events);
    else if (read === 0) throw new Error('the connection ended');
    else count += read;
  }
  stream.write(into);
}

/** Takes the stream, answers once, and lets it go. */
function turn(poll: Poll, name: DetachedStream): DetachedStream {
  const stream = TcpStream.attach(name);
  poll.registry.register(stream, 1, Interest.READABLE);
  answer(poll, stream);
  return stream.detach();
}

async function main(moves: number): Promise<void> {
  const ioThread = IoThread.default();
  const poll = new Poll({ ioThread });
  const listener = TcpListener.bind({ host: '127.0.0.1', port: 0 });
  poll.registry.register(listener, 0, Interest.READABLE);
  const peer = TcpStream.connect({ host: '127.0.0.1', port: listener.localAddress().port });
  poll.registry.register(peer, 2, Interest.READABLE | Interest.WRITABLE);
  let accepted = listener.accept();
  for (; !accepted; accepted = listener.accept()) poll.poll(events);
  // Two answers of two owners follow each other: the second must not wait for the first one's acknowledgement.
  accepted.stream.setNoDelay();
  const worker = new Worker(new URL(import.meta.url), { workerData: ioThread.share() });
  let name = accepted.stream.detach();
  let startedMs = 0;
  for (let move = -WARM_UP; move < moves; move += 2) {
    if (move >= 0 && startedMs === 0) startedMs = performance.now();
    // Two messages: one for either thread.
    peer.write(new Uint8Array(2 * BYTES));
    name = turn(poll, name);
    worker.postMessage(name);
    [name] = (await once(worker, 'message')) as [DetachedStream];
    for (let count = 0; count < 2 * BYTES; ) {
      const read = peer.read(into);
      if (read === null) poll.poll(events);
      else count += read;
    }
  }
  console.log((1000 * (performance.now() - startedMs)) / moves);
  process.exit();
}

if (isMainThread) {
  await main(Number(process.argv[2]));
} else {
  const poll = new Poll({ ioThread: IoThread.from(workerData as SharedIoThread) });
  parentPort?.on('message', (name: DetachedStream) => parentPort?.postMessage(turn(poll, name)));
}
