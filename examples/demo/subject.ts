/** A process under test: an echo listener and an HTTP responder, served in one of three ways. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SocketAddress } from 'sideport';
import { blockRegularly } from './main-thread.js';
import type { SubjectKind, SubjectOrder, SubjectReport } from './messages.js';
import { serveThroughNet } from './net-server.js';
import type { RunningServer, Service } from './server.js';
import { serveThroughSideport } from './sideport-server.js';

const SERVICES: readonly Service[] = [
  { host: '127.0.0.1', port: 0, protocol: 'echo' },
  { host: '127.0.0.1', port: 0, protocol: 'http' },
];

async function serve(kind: SubjectKind): Promise<RunningServer & { readonly backend?: string }> {
  if (kind === 'sideport') return serveThroughSideport(SERVICES);
  if (kind === 'net') return serveThroughNet(SERVICES);
  const worker = new Worker(new URL('./net-worker.js', import.meta.url), { workerData: SERVICES });
  const [addresses] = (await once(worker, 'message')) as [SocketAddress[]];
  const stop = async () => {
    worker.postMessage('stop');
    await once(worker, 'exit');
  };
  return { addresses, stop };
}

function report(message: SubjectReport): void {
  process.send?.(message);
}

const server = await serve(process.argv[2] as SubjectKind);
let unblock = () => {};

process.on('message', async (order: SubjectOrder) => {
  unblock();
  if (order.kind === 'stop') {
    await server.stop();
    process.disconnect();
    return;
  }
  unblock = order.on ? blockRegularly() : () => {};
  const { user, system } = process.cpuUsage();
  report({ kind: 'cpu', cpuMs: (user + system) / 1000 });
});
// The main process is gone: nobody needs this one.
process.on('disconnect', () => process.exit());

const [echo, http] = server.addresses as [SocketAddress, SocketAddress];
report({ kind: 'ready', echo, http, backend: server.backend ?? '' });
