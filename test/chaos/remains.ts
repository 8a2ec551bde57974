/** What a chaos run must leave nothing of, once all its threads have ended. */
import type { IoThread } from '../../src/index.js';
import { openDescriptors } from '../util/descriptors.js';

export interface Remains {
  readonly operations: number;
  readonly sources: number;
  readonly inTransfer: number;
  readonly buffersHeld: number;
  /** Other threads than this one. */
  readonly clients: number;
  readonly descriptors: number;
}

/** What is left, beyond so many descriptors; asks until it is nothing, or for ten seconds. */
export async function remains(ioThread: IoThread, descriptors: number): Promise<Remains> {
  const untilMs = performance.now() + 10_000;
  for (;;) {
    const stats = await ioThread.stats();
    const left = {
      operations: stats.operationsStarted - stats.operationsReleased,
      sources: stats.sources,
      inTransfer: stats.streamsInTransfer + stats.socketsInTransfer,
      buffersHeld: stats.receiveBuffersHeld + stats.datagramBuffersHeld,
      clients: stats.clients - 1,
      descriptors: openDescriptors() - descriptors,
    };
    if (Object.values(left).every((count) => count === 0) || performance.now() > untilMs) return left;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const NOTHING: Remains = {
  operations: 0,
  sources: 0,
  inTransfer: 0,
  buffersHeld: 0,
  clients: 0,
  descriptors: 0,
};
