/** The handling thread of relay.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { nameHandler } from '../../lib/thread-names.js';
import { Handler } from '../handler.js';

export interface RelayMessage {
  readonly id: number;
  readonly bytes: Uint8Array;
}

nameHandler();
const handler = new Handler(workerData as number);
parentPort?.on('message', (message: RelayMessage) => {
  handler.see(message.bytes);
  parentPort?.postMessage(message);
});
