/** sideport on the main thread: `take` and `await wait`. */
import { Events, Interest, Poll, TcpListener, type TcpStream } from '../../../src/index.js';
import { announce, endByItself } from '../../echo/serve.js';
import { byteCount, chunk, sends } from './way.js';

const LISTENER = 0;
const STREAM = 1;

endByItself();
const poll = new Poll();
const events = new Events();
const listener = TcpListener.bind({ host: '127.0.0.1', port: 0 });
poll.registry.register(listener, LISTENER, Interest.READABLE);
announce([listener.localAddress().port]);
let stream: TcpStream | undefined;
let left = byteCount;
for (;;) {
  await poll.wait(events);
  for (const { token } of events) {
    if (token === LISTENER) accept();
    else if (stream && (sends ? send(stream) : receive(stream))) stream.close();
  }
}

function accept(): void {
  const accepted = listener.accept();
  if (!accepted) return;
  ({ stream } = accepted);
  poll.registry.register(stream, STREAM, sends ? Interest.WRITABLE : Interest.READABLE);
}

/** True at the peer's end. */
function receive(from: TcpStream): boolean {
  for (let lease = from.take(); lease; lease = from.take()) {
    if (lease.length === 0) return true;
    lease.release();
  }
  return false;
}

/** True when all is written. */
function send(to: TcpStream): boolean {
  while (left > 0) {
    const count = to.write(left < chunk.length ? chunk.subarray(0, left) : chunk);
    if (count === null) return false;
    left -= count;
  }
  return true;
}
