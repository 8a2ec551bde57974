/** Receive groups, limits and ends, as native/completion_port.h promises them, over every backend. */
import test, { type ExecutionContext } from 'ava';
import { CloseMode, PortOpcode, ShutdownHow } from '../../src/protocol/port-records.js';
import { errno } from '../util/errno.js';
import { BUFFER_SIZE, backends, PortDriver } from '../util/port-driver.js';
import { type ConnectedPair, Listening } from '../util/port-sockets.js';

const { ECANCELED, ECONNRESET, ENOBUFS } = errno;
const { RECEIVE, SEND } = PortOpcode;
const GROUP = 3;

/** A pair, and `send`, which sends so many bytes of a counter from the client and waits until the kernel has them. */
function counterPair(t: ExecutionContext, driver: PortDriver, listening = new Listening(driver)) {
  const out = driver.addSegment(64, 65_536);
  let position = 0;
  const pair: ConnectedPair = listening.pair();
  const send = (length: number) => {
    const memory = driver.memory[out] as Uint8Array;
    for (let at = 0; at < length; at++) memory[at] = (position + at) % 251;
    position += length;
    driver.send(pair.client, [out, 0, length]);
    t.is(driver.next(pair.client, SEND).result, length);
  };
  let expected = 0;
  const check = (bytes: Uint8Array) => {
    for (const byte of bytes) {
      if (byte !== expected++ % 251) return t.fail(`byte ${expected - 1} of the stream is ${byte}`);
    }
  };
  return { ...pair, send, check, received: () => expected };
}

for (const backend of backends) {
  const title = (text: string) => `${backend}: ${text}`;

  test(title('a receive that is extended before its limit goes on, and does not end in between'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 8);
    const { server, send, check } = counterPair(t, driver);
    driver.receive(server, GROUP, 3);
    for (let round = 0; round < 20; round++) {
      send(BUFFER_SIZE);
      const completion = driver.next(server, RECEIVE);
      t.true(completion.more, `round ${round}`);
      check(driver.bytesOf(completion));
      driver.provide(GROUP, completion.segment, completion.index);
      driver.extend(server, 1);
    }
    send(3 * BUFFER_SIZE);
    const completions = driver.toRelease(server, RECEIVE);
    t.is(completions.filter(({ result }) => result > 0).length, 3, 'what is left of the limit');
    driver.end();
  });

  test(title('extending a receive that has reached its limit, or none, has no effect'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 8);
    const { server, send } = counterPair(t, driver);
    driver.extend(server, 5);
    driver.extend(99, 5);
    driver.receive(server, GROUP, 1);
    driver.extend(server, 0);
    driver.extend(server, -7);
    send(3 * BUFFER_SIZE);
    const [first, ...others] = driver.toRelease(server, RECEIVE);
    t.is(first?.result, BUFFER_SIZE);
    t.deepEqual(others, [], 'one and no more');
    driver.extend(server, 5);
    driver.turn(0);
    t.is(driver.native.started(), driver.native.released(), 'nothing is in flight');
    driver.end();
  });

  test(
    title('at the limit a receive ends, whatever completes before its release is reported, and no byte is lost'),
    (t) => {
      const driver = new PortDriver(backend);
      driver.provideSegment(GROUP, 32);
      const { client, server, send, check, received } = counterPair(t, driver);
      send(20 * BUFFER_SIZE);
      driver.shutdown(client, ShutdownHow.WRITE);
      for (let limit = 3, ended = false; !ended; limit = 4 - limit) {
        driver.receive(server, GROUP, limit);
        const completions = driver.toRelease(server, RECEIVE);
        const filled = completions.filter(({ result }) => result > 0);
        for (const one of filled) {
          check(driver.bytesOf(one));
          driver.provide(GROUP, one.segment, one.index);
        }
        const last = completions.at(-1);
        ended = last?.result === 0;
        if (ended) continue;
        if ((last?.result ?? 0) > 0) t.is(filled.length, limit);
        else t.true(last?.result === -ECANCELED && filled.length >= limit, 'a kernel that cannot count was cancelled');
      }
      t.is(received(), 20 * BUFFER_SIZE);
      driver.end();
    },
  );

  test(title('a limit of one is exact'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 8);
    const { server, send, check } = counterPair(t, driver);
    send(4 * BUFFER_SIZE);
    for (let round = 0; round < 4; round++) {
      driver.receive(server, GROUP, 1);
      const one = driver.next(server, RECEIVE);
      t.deepEqual([one.result, one.more], [BUFFER_SIZE, false]);
      check(driver.bytesOf(one));
    }
    driver.end();
  });

  test(title('an empty group: released with ENOBUFS once there are data, and nothing is lost'), (t) => {
    const driver = new PortDriver(backend);
    const segment = driver.provideSegment(GROUP, 2);
    const { server, send, check, received } = counterPair(t, driver);
    driver.receive(server, GROUP, 100);
    send(5 * BUFFER_SIZE);
    for (const pieces of [2, 2]) {
      const completions = driver.toRelease(server, RECEIVE);
      const filled = completions.slice(0, -1);
      t.is(filled.length, pieces);
      for (const one of filled) check(driver.bytesOf(one));
      t.deepEqual(completions.at(-1)?.result, -ENOBUFS);
      for (const one of filled) driver.provide(GROUP, segment, one.index);
      driver.receive(server, GROUP, 100);
    }
    check(driver.bytesOf(driver.next(server, RECEIVE)));
    t.is(received(), 5 * BUFFER_SIZE);
    driver.end();
  });

  test(title('a receive on a group that was never provided finds it empty'), (t) => {
    const driver = new PortDriver(backend);
    const { server, send } = counterPair(t, driver);
    driver.receive(server, 99, 2);
    driver.settle();
    send(1);
    t.is(driver.next(server, RECEIVE).result, -ENOBUFS);
    driver.end();
  });

  test(title('an idle connection holds no buffer: one buffer serves many'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 1);
    const listening = new Listening(driver);
    const pairs = Array.from({ length: 20 }, () => counterPair(t, driver, listening));
    for (const { server } of pairs) driver.receive(server, GROUP, 5);
    driver.settle();
    for (const { server, send, check } of pairs) {
      send(10);
      const one = driver.next(server, RECEIVE);
      t.deepEqual([one.result, one.more], [10, true]);
      check(driver.bytesOf(one));
      driver.provide(GROUP, one.segment, one.index);
    }
    driver.end();
  });

  test(title('more buffers than a ring of the kernel holds serve all the same'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 700, 64);
    const { server, send, check, received } = counterPair(t, driver);
    driver.receive(server, GROUP, 1000);
    send(690 * 64);
    while (received() < 690 * 64) check(driver.bytesOf(driver.next(server, RECEIVE), 64));
    t.is(driver.provided.size, 10);
    driver.end();
  });

  test(title('each group serves its own; buffers of two sizes may be in one'), (t) => {
    const driver = new PortDriver(backend);
    const listening = new Listening(driver);
    const small = driver.provideSegment(1, 1, 16);
    const large = driver.provideSegment(1, 1, 64);
    const other = driver.provideSegment(2, 4, 256);
    const one = counterPair(t, driver, listening);
    const two = counterPair(t, driver, listening);
    driver.receive(one.server, 1, 2);
    driver.receive(two.server, 2, 2);
    one.send(80);
    two.send(80);
    const [first, second] = [driver.next(one.server, RECEIVE), driver.next(one.server, RECEIVE)];
    t.deepEqual(
      [first, second].map(({ segment, result }) => [segment, result]).sort(),
      [
        [small, 16],
        [large, 64],
      ].sort(),
    );
    t.is(driver.next(two.server, RECEIVE).segment, other);
    driver.end();
  });

  test(title('an error or the end follows all bytes received before it'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 64);
    const listening = new Listening(driver);
    for (const limit of [1, 2, 100]) {
      const { client, server, send, check, received } = counterPair(t, driver, listening);
      send(3 * BUFFER_SIZE + 5);
      driver.closeNow(client, CloseMode.FLUSHED);
      const results: number[] = [];
      while (results.at(-1) !== 0) {
        driver.receive(server, GROUP, limit);
        for (const one of driver.toRelease(server, RECEIVE)) {
          if (one.result > 0) check(driver.bytesOf(one));
          else if (one.result === 0 || one.result !== -ECANCELED) results.push(one.result);
          if (one.result > 0) driver.provide(GROUP, one.segment, one.index);
        }
      }
      t.deepEqual(results, [0]);
      t.is(received(), 3 * BUFFER_SIZE + 5);
      driver.closeNow(server);
    }
    driver.end();
  });

  test(title('a reset is told however it falls together with the last bytes'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 64);
    const listening = new Listening(driver);
    for (const armed of [false, true, true]) {
      const { client, server, send } = counterPair(t, driver, listening);
      if (armed) driver.receive(server, GROUP, 100);
      if (armed) driver.settle();
      send(5);
      driver.closeNow(client, CloseMode.RESET);
      if (!armed) driver.receive(server, GROUP, 100);
      const completions = driver.toRelease(server, RECEIVE);
      for (const one of completions) if (one.result > 0) driver.provide(GROUP, one.segment, one.index);
      t.true([0, -ECONNRESET].includes(completions.at(-1)?.result as number));
      driver.closeNow(server);
    }
    driver.end();
  });

  test(title('a segment is not removed while a group has a buffer of it, or a send uses it'), (t) => {
    const driver = new PortDriver(backend);
    const segment = driver.provideSegment(GROUP, 2);
    const { client, server, send } = counterPair(t, driver);
    driver.turn();
    t.false(driver.native.removeSegment(segment));
    driver.receive(server, GROUP, 1);
    send(4);
    driver.next(server, RECEIVE);
    t.false(driver.native.removeSegment(segment), 'the other buffer is still the group’s');
    driver.dropGroup(GROUP);
    t.true(driver.native.removeSegment(segment));
    t.true(driver.native.removeSegment(segment), 'removed before');

    const out = driver.addSegment(64, 65_536);
    while (driver.inFlight().length === 0) {
      driver.send(client, [out, 0, 64 * 65_536]);
      driver.settle();
    }
    t.false(driver.native.removeSegment(out));
    driver.closeNow(client);
    t.true(driver.native.removeSegment(out));
    driver.end();
  });

  test(title('a group dropped under a receive is empty for it; provided again, it serves again'), (t) => {
    const driver = new PortDriver(backend);
    const segment = driver.provideSegment(GROUP, 4);
    const { server, send, check } = counterPair(t, driver);
    driver.receive(server, GROUP, 100);
    driver.settle();
    driver.dropGroup(GROUP);
    t.true(driver.native.removeSegment(segment));
    send(10);
    t.is(driver.next(server, RECEIVE).result, -ENOBUFS);
    driver.dropGroup(GROUP);
    driver.provideSegment(GROUP, 4);
    driver.receive(server, GROUP, 100);
    const one = driver.next(server, RECEIVE);
    t.is(one.result, 10);
    check(driver.bytesOf(one));
    driver.end();
  });

  test(title('a buffer that waits to be told survives the drop of its group'), (t) => {
    const driver = new PortDriver(backend, 1);
    driver.provideSegment(GROUP, 8);
    const { server, send, check, received } = counterPair(t, driver);
    driver.receive(server, GROUP, 100);
    send(3 * BUFFER_SIZE);
    // One completion per turn: the kernel may have filled more than were told.
    check(driver.bytesOf(driver.next(server, RECEIVE)));
    driver.dropGroup(GROUP);
    send(1);
    const told = driver.toRelease(server, RECEIVE);
    for (const one of told.slice(0, -1)) check(driver.bytesOf(one));
    t.is(told.at(-1)?.result, -ENOBUFS);
    driver.provideSegment(GROUP, 8);
    driver.receive(server, GROUP, 100);
    while (received() < 3 * BUFFER_SIZE + 1) check(driver.bytesOf(driver.next(server, RECEIVE)));
    driver.end();
  });

  test(title('a buffer provided twice, or that is none, is ignored'), (t) => {
    const driver = new PortDriver(backend);
    const segment = driver.provideSegment(GROUP, 1);
    driver.provide(GROUP, segment, 0);
    for (const words of [
      [GROUP, segment, 1],
      [GROUP, segment, -1],
      [GROUP, segment + 9, 0],
      [-1, segment, 0],
      [GROUP + 1, segment, 0],
    ]) {
      driver.submit(PortOpcode.PROVIDE, 0, words);
    }
    const { server, send } = counterPair(t, driver);
    driver.receive(server, GROUP, 10);
    send(2 * BUFFER_SIZE);
    t.is(driver.next(server, RECEIVE).result, BUFFER_SIZE);
    t.is(driver.next(server, RECEIVE).result, -ENOBUFS);
    driver.end();
  });
}
