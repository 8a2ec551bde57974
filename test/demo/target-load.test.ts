/** What the demo's load driver measures of a target. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { SocketAddress } from 'sideport';
import { TargetLoad } from '../../examples/demo/target-load.js';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello';

async function listen(t: ExecutionContext, server: Server): Promise<SocketAddress> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  return server.address() as SocketAddress;
}

test('the delay of a connection counts, also when samples were taken while it waited for its answer', async (t) => {
  const echo = createServer((socket) => socket.pipe(socket));
  const asking: Socket[] = [];
  // Their requests are read, so that closing them is no reset.
  const http = createServer((socket) => socket.once('data', () => asking.push(socket)));
  const load = new TargetLoad({ echo: await listen(t, echo), http: await listen(t, http) });
  await load.connected();
  t.teardown(() => load.end());
  // Of 20 ms: a message on each of the open connections, and two new ones.
  load.send(19);
  while (asking.length < 2) await setImmediate();
  t.is(load.takeSamples().acceptMs.length, 0);
  for (const socket of asking) socket.end(ANSWER);
  while (load.unanswered() > 0) await setImmediate();
  t.is(load.takeSamples().acceptMs.length, 2);
});
