/**
 * A synchronous HTTP client: no callbacks, no promises, a function that returns what it fetched. The thread blocks; the I/O thread works.
 *
 *     node dist/examples/sync-client/main.js [port path]
 *
 * Without arguments it starts a server of its own to ask, on another thread.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Events, Interest, Poll, TcpStream } from 'sideport';

const poll = new Poll();
const events = new Events();

/** Fetches, or throws what the network says. */
function get(port: number, path: string): { status: number; body: string } {
  using stream = TcpStream.connect({ host: '127.0.0.1', port });
  poll.registry.register(stream, 0, Interest.READABLE | Interest.WRITABLE);
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  for (let sent = 0; sent < request.length; ) {
    const count = stream.write(request.subarray(sent));
    if (count === null) wait(stream);
    else sent += count;
  }
  const chunks: Buffer[] = [];
  for (const into = Buffer.alloc(65_536); ; ) {
    const count = stream.read(into);
    if (count === 0) break;
    if (count === null) wait(stream);
    else chunks.push(Buffer.from(into.subarray(0, count)));
  }
  const [head = '', ...rest] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), body: rest.join('\r\n\r\n') };
}

function wait(stream: TcpStream): void {
  poll.poll(events, 10_000);
  const error = stream.takeError();
  if (error) throw error;
}

const [port, path = '/'] = process.argv.slice(2);
if (port === undefined) {
  const server = new Worker(
    `const server = require('node:http').createServer((request, answer) => answer.end('you asked for ' + request.url));
     server.listen(0, '127.0.0.1', () => require('node:worker_threads').parentPort.postMessage(server.address().port));`,
    { eval: true },
  );
  const [own] = (await once(server, 'message')) as [number];
  for (const asked of ['/a', '/b']) {
    const { status, body } = get(own, asked);
    console.log(`${status}: ${body}`);
  }
  await server.terminate();
  try {
    get(1, '/');
  } catch (error) {
    console.log((error as Error).message);
  }
} else {
  console.log(get(Number(port), path).body);
}
poll.close();
