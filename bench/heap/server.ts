/**
 * An echo server that profiles what its threads allocate: `server.js SIZE take|read|net`. `begin` on a line of its standard input begins,
 * and is answered by `begun`, `end` ends, and is answered by the profiles, on a line.
 */
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { BroadcastChannel } from 'node:worker_threads';
import { IoThread } from '../../src/index.js';
import { announce, endByItself, size } from '../echo/serve.js';
import { echo } from '../echo/servers/echo-socket.js';
import { SideportEcho } from '../echo/servers/sideport-echo.js';
import { CHANNEL, type Kind, type Profiles } from './kinds.js';
import { HeapSampling, type Profile } from './sampling.js';

const kind = process.argv[3] as Kind;
const sampling = new HeapSampling();
const channel = new BroadcastChannel(CHANNEL);
let answer: unknown;
channel.onmessage = (event) => {
  answer = (event as { data: unknown }).data;
};

endByItself();
if (kind === 'net') {
  listenForCommands(undefined);
  const server = createServer({ noDelay: true }, (socket) => echo(socket, size));
  server.listen({ host: '127.0.0.1', port: 0 }, () => announce([(server.address() as AddressInfo).port]));
} else {
  const ioThread = IoThread.start({ workerUrl: new URL('./io-thread.js', import.meta.url) });
  listenForCommands(ioThread);
  const server = new SideportEcho(ioThread, kind, size);
  announce([server.port]);
  for (;;) await server.wait();
}

function listenForCommands(ioThread: IoThread | undefined): void {
  createInterface({ input: process.stdin }).on('line', async (line) => {
    if (line === 'begin') {
      if (ioThread) await ask(ioThread, 'begin');
      sampling.begin();
      console.log('begun');
    } else {
      const main = sampling.end();
      const profiles: Profiles = { main, ioThread: ioThread && ((await ask(ioThread, 'end')) as Profile) };
      console.log(JSON.stringify(profiles));
    }
  });
}

/** The I/O thread runs its event loop only when it is asked something, so it is asked until it has answered. */
async function ask(ioThread: IoThread, word: 'begin' | 'end'): Promise<unknown> {
  answer = undefined;
  channel.postMessage(word);
  while (answer === undefined) await ioThread.stats();
  return answer;
}
