/** The demo for real clients: one port that echoes, and answers HTTP, until it is told to end. */
import { BLOCKED_MS, blockRegularly, PERIOD_MS } from './main-thread.js';
import type { Traffic } from './server.js';
import { serveThroughSideport } from './sideport-server.js';

/** Serves until SIGINT or SIGTERM. Rejects with the system's error when the address cannot be had. */
export async function listen(host: string, port: number): Promise<void> {
  let traffic: Traffic = { accepted: 0, open: 0, bytesReceived: 0, bytesSent: 0 };
  const server = await serveThroughSideport([{ host, port, protocol: 'sniff' }], (now) => {
    if (line(now) !== line(traffic)) console.log(line(now));
    traffic = now;
  });
  // Before the invitation: whoever reads it may end us at once.
  const told = signalled();
  const bound = server.addresses[0]?.port ?? port;
  console.log(invitation(host, bound, server.backend));
  const unblock = blockRegularly();
  await told;
  unblock();
  await server.stop();
  console.log(`Ended. ${line(traffic)}`);
}

function signalled(): Promise<unknown> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
}

function line({ accepted, open, bytesReceived, bytesSent }: Traffic): string {
  return `${accepted} accepted, ${open} open, ${bytesReceived} bytes received, ${bytesSent} bytes sent`;
}

function invitation(host: string, port: number, backend: string): string {
  const isIpv6 = host.includes(':');
  // "Any address" is no address to connect to.
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const url = `http://${isIpv6 ? `[${reachable}]` : reachable}:${port}/`;
  return `\
Listening on ${host} port ${port}; a worker thread serves through the I/O thread (${backend}).
The main thread is blocked ${BLOCKED_MS} of every ${PERIOD_MS} ms, and you should not notice.

In another terminal, type
  nc ${reachable} ${port}
and a few lines: each comes back (Ctrl-D or Ctrl-C ends nc). Or
  curl ${isIpv6 ? '-g ' : ''}${url}
for an HTTP answer on the same port. Ctrl-C here ends the server.
`;
}
