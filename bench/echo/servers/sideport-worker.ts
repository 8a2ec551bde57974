/** A handling thread of sideport-workers.ts: `take` and blocking `poll`, as a thread that does nothing else would. */
import { parentPort, workerData } from 'node:worker_threads';
import { IoThread, type SharedIoThread } from '../../../src/index.js';
import { SideportEcho } from './sideport-echo.js';

const { ioThread, size } = workerData as { ioThread: SharedIoThread; size: number };
const echo = new SideportEcho(IoThread.from(ioThread), 'take', size);
parentPort?.postMessage(echo.port);
for (;;) echo.block(1000);
