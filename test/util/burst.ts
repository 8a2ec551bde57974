/** Many messages at once, then one alone: after such a turn a port may wait for a batch, which must not keep the one back. */
import { PortOpcode } from '../../src/protocol/port-records.js';
import type { PortDriver } from './port-driver.js';
import { Listening } from './port-sockets.js';

const { RECEIVE, SEND } = PortOpcode;
const GROUP = 1;
const ROUNDS = 20;

/** How many messages were received; every one that was sent, or the driver throws. */
export function burstsAndSingles(driver: PortDriver, connections: number): number {
  driver.provideSegment(GROUP, 2 * connections);
  const out = driver.addSegment(1);
  const listening = new Listening(driver);
  const pairs = Array.from({ length: connections }, () => listening.pair());
  for (const { server } of pairs) driver.receive(server, GROUP, 2 * ROUNDS + 1);
  let received = 0;
  const exchange = (some: typeof pairs): void => {
    for (const { client } of some) driver.send(client, [out, 0, 10]);
    for (const { client, server } of some) {
      driver.next(client, SEND);
      const { result, segment, index } = driver.next(server, RECEIVE);
      driver.provide(GROUP, segment, index);
      if (result === 10) received++;
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    exchange(pairs);
    exchange(pairs.slice(round % connections, (round % connections) + 1));
  }
  return received;
}

export const MESSAGES = (connections: number): number => ROUNDS * (connections + 1);
