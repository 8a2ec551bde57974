/** A handling thread of sideport-moves.ts. It waits on its event loop, by which the connections come. */
import { parentPort, workerData } from 'node:worker_threads';
import { type DetachedStream, IoThread, type SharedIoThread, TcpStream } from '../../../src/index.js';
import { nameHandler } from '../../lib/thread-names.js';
import { SideportEcho } from './sideport-echo.js';

nameHandler();
const { ioThread, size } = workerData as { ioThread: SharedIoThread; size: number };
const echo = new SideportEcho(IoThread.from(ioThread), 'take', size);
parentPort?.on('message', (name: DetachedStream) => echo.serve(TcpStream.attach(name)));
for (;;) await echo.wait();
