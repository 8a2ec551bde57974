/** A handling thread of sideport-workers.ts: `take` and blocking `poll`, as a thread that does nothing else would. */
import { parentPort, workerData } from 'node:worker_threads';
import { IoThread, type SharedIoThread, type SharedListener, TcpListener } from '../../../src/index.js';
import { nameHandler } from '../../lib/thread-names.js';
import { SideportEcho } from './sideport-echo.js';

nameHandler();
const { ioThread, listener, size } = workerData as {
  ioThread: SharedIoThread;
  listener: SharedListener | undefined;
  size: number;
};
const shared = listener && TcpListener.from(listener);
const echo = new SideportEcho(IoThread.from(ioThread), 'take', size, { listener: shared });
parentPort?.postMessage(echo.port);
for (;;) echo.block(1000);
