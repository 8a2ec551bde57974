/** Turns: waiting, waking, fairness, a completion array that is too small, and the port's end, over every backend. */
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { CloseMode, PortOpcode, WakeReason } from '../../src/protocol/port-records.js';
import { openDescriptors } from '../util/descriptors.js';
import { errno } from '../util/errno.js';
import { addon, BUFFER_SIZE, backends, type Completion, PortDriver } from '../util/port-driver.js';
import { Listening, listeningSocket, openSocket } from '../util/port-sockets.js';

const { ECANCELED } = errno;
const { ACCEPT, CONNECT, RECEIVE, SEND, CLOSE, WAKE } = PortOpcode;
const GROUP = 1;

/** Wakes the port from another thread, `reasons` at a time, when told to. */
async function wakerThread(portId: number) {
  const worker = new Worker(new URL('../fixtures/native-waker.js', import.meta.url), { workerData: { portId } });
  await new Promise((resolve) => worker.once('message', resolve));
  return worker;
}

for (const backend of backends) {
  const title = (text: string) => `${backend}: ${text}`;

  test(title('a turn with nothing to report returns no completion, whatever its time-out'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 1);
    const { server } = new Listening(driver).pair();
    driver.receive(server, GROUP, 2);
    for (const timeoutMs of [0, 0, 1, 30, -1]) t.deepEqual(driver.turn(timeoutMs), []);
    driver.end();
  });

  test(title('wakes coalesce into one record with all their reasons, and are told once'), (t) => {
    const driver = new PortDriver(backend);
    for (let round = 0; round < 3; round++) {
      addon.wakePort(driver.native.id, WakeReason.CONTROL);
      addon.wakePort(driver.native.id, WakeReason.SUBMISSION);
      addon.wakePort(driver.native.id, WakeReason.CONTROL);
      const completions = driver.turn(100);
      t.deepEqual(
        completions.map(({ opcode, endpoint, result }) => [opcode, endpoint, result]),
        [[WAKE, -1, WakeReason.CONTROL | WakeReason.SUBMISSION]],
      );
      t.deepEqual(driver.turn(20), []);
    }
    addon.wakePort(driver.native.id, 0);
    t.deepEqual(driver.turn(1), [], 'a wake without a reason is none');
    driver.end();
  });

  test(title('a wake from another thread ends the current turn or the next; none of thousands is lost'), async (t) => {
    const driver = new PortDriver(backend);
    const waker = await wakerThread(driver.native.id);
    const rounds = new Int32Array(new SharedArrayBuffer(4));
    waker.postMessage({ rounds, count: 3000 });
    // The other thread wakes once more only when it sees that the last wake was told.
    for (let told = 0; told < 3000; ) {
      const completions = driver.turn(100);
      if (completions.length === 0) continue;
      t.is(completions[0]?.result, WakeReason.SUBMISSION);
      Atomics.store(rounds, 0, ++told);
      Atomics.notify(rounds, 0);
    }
    await waker.terminate();
    driver.end();
  });

  test(title('an array of one completion: everything is told, one at a time and in order'), (t) => {
    const driver = new PortDriver(backend, 1);
    driver.provideSegment(GROUP, 16);
    const out = driver.addSegment(1);
    const listening = new Listening(driver);
    const pairs = Array.from({ length: 5 }, () => listening.pair());
    for (const { client, server } of pairs) {
      driver.receive(client, GROUP, 1);
      driver.receive(server, GROUP, 10);
      driver.send(client, [out, 0, 100]);
      driver.receive(client, GROUP, 1);
    }
    for (let rejections = 0; rejections < 5; ) if (driver.find(() => true).rejected) rejections++;
    addon.wakePort(driver.native.id, WakeReason.CONTROL);
    for (const { client, server } of pairs) {
      driver.close(client, CloseMode.RESET);
      driver.close(server, CloseMode.RESET);
    }
    for (const { client, server } of pairs) {
      for (const endpoint of [client, server]) t.is(driver.next(endpoint, CLOSE).result, 0);
    }
    t.is(driver.find(({ opcode }) => opcode === WAKE).result, WakeReason.CONTROL);
    t.deepEqual(driver.inFlight(), []);
    t.is(driver.native.started(), driver.native.released());
    driver.end();
  });

  test(title('endpoints take turns: none completes a second receive while another is ready'), (t) => {
    const CAPACITY = 4;
    const driver = new PortDriver(backend, CAPACITY);
    driver.provideSegment(GROUP, 64);
    const out = driver.addSegment(32);
    const listening = new Listening(driver);
    const pairs = Array.from({ length: 6 }, () => listening.pair());
    for (const { client } of pairs) {
      driver.send(client, [out, 0, 8 * BUFFER_SIZE]);
      t.is(driver.next(client, SEND).result, 8 * BUFFER_SIZE);
    }
    for (const { server } of pairs) driver.receive(server, GROUP, 8);
    const left = new Map(pairs.map(({ server }) => [server, 8]));
    while ([...left.values()].some((count) => count > 0)) {
      const completions = driver.turn(100).filter(({ opcode, result }) => opcode === RECEIVE && result > 0);
      const served = new Map<number, number>();
      for (const { endpoint } of completions) served.set(endpoint, (served.get(endpoint) ?? 0) + 1);
      const waiting = [...left].filter(([endpoint, count]) => count > 0 && !served.has(endpoint));
      for (const [endpoint, count] of served) {
        t.true(count === 1 || waiting.length === 0, `${endpoint} had ${count} turns while ${waiting.length} waited`);
        left.set(endpoint, (left.get(endpoint) as number) - count);
      }
    }
    driver.end();
  });

  test(title('a flood on one connection does not keep another’s bytes back'), (t) => {
    const driver = new PortDriver(backend, 8);
    driver.provideSegment(GROUP, 64);
    const out = driver.addSegment(64, 65_536);
    const listening = new Listening(driver);
    const [flood, quiet] = [listening.pair(), listening.pair()];
    let flooding = true;
    const serve = (one: Completion): void => {
      if (one.opcode === SEND && one.endpoint === flood.client && flooding) {
        driver.send(flood.client, [out, 0, 64 * 65_536]);
      }
      if (one.opcode !== RECEIVE) return;
      if (one.result > 0) driver.provide(GROUP, one.segment, one.index);
      if (!one.more) driver.receive(one.endpoint, GROUP, 16);
    };
    driver.receive(flood.server, GROUP, 16);
    driver.receive(quiet.server, GROUP, 16);
    driver.send(flood.client, [out, 0, 64 * 65_536]);
    for (let round = 0; round < 50; round++) {
      driver.send(quiet.client, [out, 0, 10]);
      // Bounded in turns, not in time: each turn takes a few completions of the flood, at most.
      let turns = 0;
      for (let arrived = false; !arrived; turns++) {
        t.true(turns < 200, 'the quiet connection starves');
        for (const one of driver.turn(100)) {
          arrived ||= one.opcode === RECEIVE && one.endpoint === quiet.server && one.result === 10;
          serve(one);
        }
      }
    }
    flooding = false;
    driver.end();
  });

  test(title('a closed endpoint and a closed port leave no descriptor behind, nor a connection nobody took'), (t) => {
    const before = openDescriptors();
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 8);
    const opened = openDescriptors();
    const { fd, address } = listeningSocket();
    const listener = driver.adopt(fd);
    const clients = Array.from({ length: 30 }, () => driver.adopt(openSocket()));
    for (const client of clients) driver.connect(client, address);
    for (const client of clients) driver.next(client, CONNECT);
    driver.accept(listener, 3);
    const taken = driver.toRelease(listener, ACCEPT).map(({ result }) => driver.adopt(result));
    for (const endpoint of [listener, ...clients, ...taken]) driver.closeNow(endpoint, CloseMode.FLUSHED);
    t.is(openDescriptors(), opened);

    const again = new Listening(driver);
    const { server } = again.pair();
    driver.receive(server, GROUP, 4);
    driver.accept(again.endpoint, 10);
    for (let count = 0; count < 5; count++) driver.connect(driver.adopt(openSocket()), again.address);
    driver.settle();
    const unadopted = driver.takeSeen().filter(({ opcode, result }) => opcode === ACCEPT && result >= 0);
    t.is(unadopted.length, 5, 'accepted, reported, and adopted by nobody');
    driver.end();
    t.is(openDescriptors(), before);
  });

  test(title('at the port’s end everything in flight is released, and its memory may be removed'), (t) => {
    const driver = new PortDriver(backend);
    const segment = driver.provideSegment(GROUP, 8);
    const out = driver.addSegment(64, 65_536);
    const listening = new Listening(driver);
    const { client, server } = listening.pair();
    driver.receive(client, GROUP, 4);
    driver.receive(server, GROUP, 4);
    driver.send(client, [out, 0, 64 * 65_536]);
    driver.accept(listening.endpoint, 4);
    driver.turn();
    t.true(driver.native.started() > driver.native.released());
    driver.end();
    t.true(driver.native.removeSegment(segment));
    t.true(driver.native.close(), 'closing twice is closing once');
    t.throws(() => driver.native.turn(0, 0), { message: 'the port is closed' });
  });

  test(title('cancelling in the turn of the start, and closing in it, is told like any other'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 8);
    const out = driver.addSegment(1);
    const listening = new Listening(driver);
    for (let round = 0; round < 20; round++) {
      const { client, server } = listening.pair();
      driver.send(client, [out, 0, 1000]);
      t.is(driver.next(client, SEND).result, 1000);
      // The data are there: the receive is at work just when it is cancelled.
      driver.receive(server, GROUP, 4);
      driver.cancel(server, RECEIVE);
      if (round % 2 === 0) driver.close(server, CloseMode.RESET);
      for (const one of driver.toRelease(server, RECEIVE)) {
        t.true(one.result === 1000 || one.result === -ECANCELED, `${one.result}`);
        if (one.result > 0) driver.provide(GROUP, one.segment, one.index);
      }
      if (round % 2 !== 0) driver.close(server, CloseMode.RESET);
      t.is(driver.next(server, CLOSE).result, 0);
      driver.closeNow(client);
    }
    driver.end();
  });
}
