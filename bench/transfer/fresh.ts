/** How long it takes until a new connection is answered by the thread to which it goes. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Peer } from '../echo/peers.js';
import { startServer } from '../lib/server.js';
import { quantile } from '../lib/statistics.js';

const SIZE = 64;
const WARM_UP = 50;

export interface Answered {
  readonly p50Us: number;
  readonly p99Us: number;
}

/** `count` connections one after another: from `connect` to the answer to the first message. */
export async function measureFresh(peer: Peer, count: number): Promise<Answered> {
  const server = await startServer(peer.command(SIZE));
  try {
    const port = server.ports[0] as number;
    const message = Buffer.alloc(SIZE, 1);
    const us: number[] = [];
    for (let at = -WARM_UP; at < count; at++) {
      const startedMs = performance.now();
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.write(message);
      for (let got = 0; got < SIZE; ) got += ((await once(socket, 'data')) as [Buffer])[0].length;
      if (at >= 0) us.push(1000 * (performance.now() - startedMs));
      socket.destroy();
      await once(socket, 'close');
    }
    return { p50Us: quantile(us, 0.5), p99Us: quantile(us, 0.99) };
  } finally {
    await server.stop();
  }
}
