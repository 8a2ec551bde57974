/** Closes and shutdowns, as native/completion_port.h promises them, over every backend. */
import test from 'ava';
import { CloseMode, PortOpcode, ShutdownHow } from '../../src/protocol/port-records.js';
import { errno } from '../util/errno.js';
import { backends, PortDriver } from '../util/port-driver.js';
import { Listening, openSocket } from '../util/port-sockets.js';

const { ECANCELED, ECONNRESET, EPIPE } = errno;
const GROUP = 7;

for (const backend of backends) {
  const title = (text: string) => `${backend}: ${text}`;

  for (const [mode, name] of [
    [CloseMode.FLUSHED, 'flushed'],
    [CloseMode.RESET, 'reset'],
  ] as const) {
    test(title(`a close (${name}) releases everything else first, and its number is free then`), (t) => {
      const driver = new PortDriver(backend);
      driver.provideSegment(GROUP, 4);
      const out = driver.addSegment(16, 65_536);
      const listening = new Listening(driver);
      const { client, server } = listening.pair();
      driver.receive(server, GROUP, 4);
      // More than both socket buffers take: the send stays in flight.
      driver.send(server, ...Array.from({ length: 16 }, (_, index) => [out, index * 65_536, 65_536] as const));
      for (let filled = 0; filled < 64 && filled >= 0; filled++) {
        driver.settle();
        if (driver.inFlight().includes(`${server}:${PortOpcode.SEND}`)) break;
        t.is(driver.next(server, PortOpcode.SEND).result, 16 * 65_536);
        driver.send(server, ...Array.from({ length: 16 }, (_, index) => [out, index * 65_536, 65_536] as const));
      }
      driver.close(server, mode);
      driver.receive(server, GROUP, 1);
      const order = [];
      for (;;) {
        const one = driver.find(({ endpoint }) => endpoint === server);
        order.push([one.opcode, one.result, one.rejected]);
        if (one.opcode === PortOpcode.CLOSE) break;
      }
      t.deepEqual(order.at(-1), [PortOpcode.CLOSE, 0, false]);
      const released = order.filter(([, , rejected]) => !rejected).slice(0, -1);
      t.deepEqual(
        released.sort(),
        [
          [PortOpcode.RECEIVE, -ECANCELED, false],
          [PortOpcode.SEND, -ECANCELED, false],
        ].sort(),
      );
      driver.receive(client, GROUP, 4);
      // What was taken in part goes out by a flushed close; a reset may overtake it.
      const { result } = driver.next(client, PortOpcode.RECEIVE);
      t.true(result > 0 || (mode === CloseMode.RESET && result === -ECONNRESET), `${result}`);
      driver.adopt(openSocket(), server);
      driver.connect(server, listening.address);
      t.is(driver.next(server, PortOpcode.CONNECT).result, 0);
      driver.end();
    });
  }

  test(title('a descriptor number that is used again hears nothing of its predecessor'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 8);
    const out = driver.addSegment(16, 65_536);
    const listening = new Listening(driver);
    let reused = 0;
    for (let round = 0; round < 30; round++) {
      const old = openSocket();
      const { client, server } = listening.pair(old);
      driver.receive(client, GROUP, 4);
      // Bytes that the other end never reads: with what is sent below, a mix-up would show.
      driver.send(client, ...Array.from({ length: 16 }, (_, at) => [out, at * 65_536, 65_536] as const));
      driver.close(client, CloseMode.RESET);
      const closed = driver.turn().some(({ endpoint, opcode }) => endpoint === client && opcode === PortOpcode.CLOSE);
      const fd = openSocket();
      if (fd === old) reused++;
      const next = listening.pair(fd);
      driver.memory[out]?.set([round, 1, 2]);
      driver.receive(next.client, GROUP, 1);
      driver.send(next.server, [out, 0, 3]);
      const received = driver.next(next.client, PortOpcode.RECEIVE);
      t.deepEqual([...driver.bytesOf(received)], [round, 1, 2]);
      driver.provide(GROUP, received.segment, received.index);
      if (!closed) driver.next(client, PortOpcode.CLOSE);
      for (const endpoint of [server, next.client, next.server]) driver.closeNow(endpoint);
    }
    t.true(reused > 0, 'or nothing was tested');
    driver.end();
  });

  test(title('a flushed close ends the stream and a reset close resets it'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 4);
    const out = driver.addSegment(1);
    const listening = new Listening(driver);
    for (const [mode, ending] of [
      [CloseMode.FLUSHED, 0],
      [CloseMode.RESET, -ECONNRESET],
    ] as const) {
      const { client, server } = listening.pair();
      driver.receive(client, GROUP, 2);
      if (mode === CloseMode.FLUSHED) {
        // Unread input: a bare close(2) would reset the connection and might lose the last bytes.
        driver.send(client, [out, 0, 100]);
        driver.next(client, PortOpcode.SEND);
        driver.send(server, [out, 0, 10]);
        driver.next(server, PortOpcode.SEND);
      }
      driver.close(server, mode);
      const results = driver.toRelease(client, PortOpcode.RECEIVE).map(({ result }) => result);
      t.deepEqual(results, mode === CloseMode.FLUSHED ? [10, ending] : [ending]);
    }
    driver.end();
  });

  test(
    title('a shutdown of writing ends the peer’s stream; a later send fails and a shutdown twice is ignored'),
    (t) => {
      const driver = new PortDriver(backend);
      driver.provideSegment(GROUP, 4);
      const out = driver.addSegment(1);
      const { client, server } = new Listening(driver).pair();
      driver.receive(server, GROUP, 4);
      driver.shutdown(client, ShutdownHow.WRITE);
      driver.shutdown(client, ShutdownHow.WRITE);
      const end = driver.next(server, PortOpcode.RECEIVE);
      t.deepEqual([end.result, end.more], [0, false]);
      driver.send(client, [out, 0, 1]);
      t.is(driver.next(client, PortOpcode.SEND).result, -EPIPE, 'and the process is not killed by SIGPIPE');
      driver.send(server, [out, 0, 6]);
      driver.receive(client, GROUP, 1);
      t.is(driver.next(client, PortOpcode.RECEIVE).result, 6, 'the other direction stays');
      driver.receive(client, GROUP, 1);
      driver.shutdown(client, ShutdownHow.READ);
      t.is(driver.next(client, PortOpcode.RECEIVE).result, 0, 'a shutdown of reading ends our own');
      driver.end();
    },
  );
}
