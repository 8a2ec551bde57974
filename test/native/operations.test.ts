/** Each operation and command by itself, as native/completion_port.h promises it, over every backend. */
import test from 'ava';
import { CloseMode, PortOpcode, ShutdownHow } from '../../src/protocol/port-records.js';
import { errno } from '../util/errno.js';
import { unless } from '../util/platform.js';
import { backends, type Completion, PortDriver } from '../util/port-driver.js';
import { Listening, listeningSocket, localAddress, loopback, openSocket } from '../util/port-sockets.js';

const { EALREADY, EBADF, ECANCELED, ECONNREFUSED, ECONNRESET, EINVAL } = errno;
const OPERATIONS = [PortOpcode.ACCEPT, PortOpcode.CONNECT, PortOpcode.RECEIVE, PortOpcode.SEND, PortOpcode.CLOSE];
/** Good ones, for segment 0. */
const ARGUMENTS: Record<number, number[]> = { 16: [1], 17: [], 18: [7, 1], 19: [0, 0, 1], 20: [0] };
const GROUP = 7;

for (const backend of backends) {
  const title = (text: string) => `${backend}: ${text}`;

  test(title('bytes sent on one endpoint are received on the other, both ways'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 4);
    const out = driver.addSegment(1);
    const { client, server } = new Listening(driver).pair();
    driver.memory[out]?.set(Buffer.from('pingpong'));
    for (const [from, to, offset, text] of [
      [client, server, 0, 'ping'],
      [server, client, 4, 'pong'],
    ] as const) {
      driver.receive(to, GROUP, 2);
      driver.send(from, [out, offset, 4]);
      const sent = driver.next(from, PortOpcode.SEND);
      t.deepEqual([sent.result, sent.more], [4, false]);
      const received = driver.next(to, PortOpcode.RECEIVE);
      t.deepEqual([received.result, received.more], [4, true]);
      t.is(driver.bytesOf(received).toString(), text);
    }
    driver.end();
  });

  for (const family of [4, 6]) {
    test(title(`an accept tells the peer's address (IPv${family})`), (t) => {
      const driver = new PortDriver(backend);
      const { fd, address } = listeningSocket(family);
      const listener = driver.adopt(fd);
      driver.accept(listener, 3);
      for (const more of [true, true, false]) {
        const socket = openSocket(family);
        const client = driver.adopt(socket);
        driver.connect(client, address);
        t.is(driver.next(client, PortOpcode.CONNECT).result, 0);
        const accepted = driver.next(listener, PortOpcode.ACCEPT);
        t.is(accepted.more, more, 'with kMore up to the limit, at the limit without');
        t.deepEqual(accepted.address, localAddress(socket));
        driver.closeNow(driver.adopt(accepted.result));
      }
      driver.end();
    });
  }

  test(title('an accept never takes more than its limit; the next one goes on without a loss'), (t) => {
    const driver = new PortDriver(backend);
    const { fd, address } = listeningSocket();
    const listener = driver.adopt(fd);
    const sockets = Array.from({ length: 20 }, () => openSocket());
    const clients = sockets.map((socket) => driver.adopt(socket));
    for (const client of clients) driver.connect(client, address);
    for (const client of clients) t.is(driver.next(client, PortOpcode.CONNECT).result, 0);
    const peers = new Set<string>();
    for (const limit of [2, 1, 5, 3, 9]) {
      driver.accept(listener, limit);
      const accepted = driver.toRelease(listener, PortOpcode.ACCEPT);
      t.is(accepted.length, limit);
      for (const { result, address } of accepted) {
        t.true(result >= 0);
        peers.add(Buffer.from(address).toString('hex'));
        driver.adopt(result);
      }
    }
    t.deepEqual(peers, new Set(sockets.map((socket) => Buffer.from(localAddress(socket)).toString('hex'))));
    driver.end();
  });

  unless(backend === 'iocp', 'Windows takes a connection that was reset back out of the backlog')(
    title('a connection reset before it is accepted still has its address, and its bytes'),
    (t) => {
      const driver = new PortDriver(backend);
      driver.provideSegment(GROUP, 4);
      const out = driver.addSegment(1);
      const { fd, address } = listeningSocket();
      const listener = driver.adopt(fd);
      const socket = openSocket();
      const client = driver.adopt(socket);
      driver.connect(client, address);
      t.is(driver.next(client, PortOpcode.CONNECT).result, 0);
      const peer = localAddress(socket);
      driver.send(client, [out, 0, 5]);
      t.is(driver.next(client, PortOpcode.SEND).result, 5);
      driver.closeNow(client, CloseMode.RESET);
      driver.accept(listener, 2);
      const accepted = driver.next(listener, PortOpcode.ACCEPT);
      t.deepEqual(accepted.address, peer);
      const server = driver.adopt(accepted.result);
      driver.receive(server, GROUP, 4);
      const results = driver.toRelease(server, PortOpcode.RECEIVE).map(({ result }) => result);
      // Linux has the reset overtake what was not read yet, or not, by the state of its queues.
      t.true([`${-ECONNRESET}`, `5,${-ECONNRESET}`, '5,0'].includes(results.join()), results.join());
      driver.end();
    },
  );

  test(title('a connection reset before it is accepted does not keep the next one from being accepted'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 4);
    const { fd, address } = listeningSocket();
    const listener = driver.adopt(fd);
    const connect = () => {
      const socket = openSocket();
      const client = driver.adopt(socket);
      driver.connect(client, address);
      t.is(driver.next(client, PortOpcode.CONNECT).result, 0);
      return { client, peer: localAddress(socket) };
    };
    driver.closeNow(connect().client, CloseMode.RESET);
    const { peer } = connect();
    driver.accept(listener, 2);
    let accepted: Completion;
    do accepted = driver.next(listener, PortOpcode.ACCEPT);
    while (!Buffer.from(accepted.address).equals(peer));
    t.true(accepted.result >= 0);
    driver.adopt(accepted.result);
    driver.end();
  });

  test(title('a connect is refused with the error of connect(2), and one without an address with EINVAL'), (t) => {
    const driver = new PortDriver(backend);
    const { fd, address } = listeningSocket();
    driver.closeNow(driver.adopt(fd));
    const client = driver.adopt(openSocket());
    driver.connect(client, address);
    const refused = driver.next(client, PortOpcode.CONNECT);
    t.deepEqual([refused.result, refused.more, refused.rejected], [-ECONNREFUSED, false, false]);
    const lost = driver.adopt(openSocket());
    driver.connect(lost, loopback(0));
    const invalid = driver.next(lost, PortOpcode.CONNECT);
    t.deepEqual([invalid.result, invalid.rejected], [-EINVAL, false]);
    driver.end();
  });

  test(title('what is started on a connecting socket waits for the connection'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 2);
    const out = driver.addSegment(1);
    const { fd, address } = listeningSocket();
    const listener = driver.adopt(fd);
    const client = driver.adopt(openSocket());
    driver.connect(client, address);
    driver.receive(client, GROUP, 1);
    driver.send(client, [out, 0, 3]);
    t.is(driver.next(client, PortOpcode.CONNECT).result, 0);
    t.is(driver.next(client, PortOpcode.SEND).result, 3);
    driver.accept(listener, 1);
    const server = driver.adopt(driver.next(listener, PortOpcode.ACCEPT).result);
    driver.send(server, [out, 0, 2]);
    const received = driver.next(client, PortOpcode.RECEIVE);
    t.deepEqual([received.result, received.more], [2, false]);
    driver.end();
  });

  test(title('a second operation of one opcode is rejected with EALREADY and releases nothing'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 2);
    const { client, server } = new Listening(driver).pair();
    driver.receive(client, GROUP, 2);
    driver.receive(client, GROUP, 2);
    const rejected = driver.next(client, PortOpcode.RECEIVE);
    t.deepEqual([rejected.result, rejected.rejected, rejected.more], [-EALREADY, true, false]);
    t.is(driver.native.started() - driver.native.released(), 1);
    driver.closeNow(server, CloseMode.FLUSHED);
    t.is(driver.next(client, PortOpcode.RECEIVE).result, 0, 'the first is unharmed');
    driver.end();
  });

  test(title('an operation on an endpoint never adopted is released at once with EBADF; a command is ignored'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 1);
    for (const opcode of OPERATIONS) {
      driver.start(opcode, 42, ARGUMENTS[opcode]);
      driver.cancel(42, opcode);
      driver.shutdown(42, ShutdownHow.BOTH);
      const { result, more, rejected } = driver.next(42, opcode);
      t.deepEqual([result, more, rejected], [-EBADF, false, false]);
    }
    t.is(driver.native.started(), OPERATIONS.length);
    t.is(driver.native.released(), OPERATIONS.length);
    driver.end();
  });

  test(title('on a descriptor that is none every operation is released with EBADF, and close with 0'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 1);
    const endpoint = driver.adopt(19_999);
    for (const opcode of OPERATIONS) {
      driver.start(opcode, endpoint, ARGUMENTS[opcode]);
      const { result, more, rejected } = driver.next(endpoint, opcode);
      t.deepEqual([result, more, rejected], [opcode === PortOpcode.CLOSE ? 0 : -EBADF, false, false], `${opcode}`);
    }
    const { fd } = listeningSocket();
    driver.adopt(fd, endpoint);
    driver.accept(endpoint, 1);
    t.deepEqual(driver.turn(), [], 'the number is free again');
    driver.end();
  });

  test(title('arguments that make no sense are rejected with EINVAL'), (t) => {
    const driver = new PortDriver(backend);
    const segment = driver.addSegment(1);
    const { client } = new Listening(driver).pair();
    const rejected = (opcode: number, words: number[], endpoint = client) => {
      driver.start(opcode, endpoint, words);
      const { result, rejected } = driver.next(endpoint, opcode);
      t.deepEqual([result, rejected], [-EINVAL, true], `${opcode} ${words}`);
    };
    rejected(PortOpcode.ACCEPT, [0]);
    rejected(PortOpcode.ACCEPT, [-1]);
    rejected(PortOpcode.RECEIVE, [-1, 1]);
    rejected(PortOpcode.RECEIVE, [GROUP, 0]);
    rejected(PortOpcode.CLOSE, [2]);
    rejected(PortOpcode.SEND, [segment + 1, 0, 1, 0]);
    rejected(PortOpcode.SEND, [segment, -1, 1, 0]);
    rejected(PortOpcode.SEND, [segment, 0, 1025, 0]);
    rejected(PortOpcode.SEND, [segment, 2 ** 31 - 1, 2 ** 31 - 1, 0]);
    rejected(PortOpcode.SEND, [segment, 0, 1, 1]);
    rejected(PortOpcode.WAKE, []);
    rejected(99, []);
    rejected(PortOpcode.ACCEPT, [1], -5);
    rejected(PortOpcode.ACCEPT, [1], 2 ** 31 - 1);
    t.is(driver.native.released(), driver.native.started());
    driver.end();
  });

  test(title('a cancelled operation is released with ECANCELED, and may be started again'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 4);
    const out = driver.addSegment(1);
    const listening = new Listening(driver);
    const { client, server } = listening.pair();
    for (let round = 0; round < 3; round++) {
      driver.accept(listening.endpoint, 5);
      driver.receive(client, GROUP, 5);
      if (round !== 1) driver.turn();
      driver.cancel(listening.endpoint, PortOpcode.ACCEPT);
      driver.cancel(client, PortOpcode.RECEIVE);
      driver.cancel(client, PortOpcode.RECEIVE);
      driver.cancel(client, PortOpcode.SEND);
      const accept = driver.next(listening.endpoint, PortOpcode.ACCEPT);
      const receive = driver.next(client, PortOpcode.RECEIVE);
      t.deepEqual([accept.result, accept.more], [-ECANCELED, false]);
      t.deepEqual([receive.result, receive.more], [-ECANCELED, false]);
    }
    driver.receive(client, GROUP, 5);
    driver.send(server, [out, 0, 9]);
    t.is(driver.next(client, PortOpcode.RECEIVE).result, 9);
    driver.end();
  });

  test(title('a connect that nobody answers can be cancelled, and closed'), (t) => {
    const driver = new PortDriver(backend);
    // A backlog of 0 takes one connection; the kernel answers no further one.
    const { fd, address } = listeningSocket(4, 0);
    driver.adopt(fd);
    const clients = Array.from({ length: 4 }, () => driver.adopt(openSocket()));
    for (const client of clients) driver.connect(client, address);
    driver.settle();
    const waiting = clients.filter((client) => driver.inFlight().includes(`${client}:${PortOpcode.CONNECT}`));
    t.true(waiting.length >= 2);
    const [cancelled, closed] = waiting as [number, number];
    driver.cancel(cancelled, PortOpcode.CONNECT);
    t.is(driver.next(cancelled, PortOpcode.CONNECT).result, -ECANCELED);
    driver.close(closed, CloseMode.RESET);
    t.is(driver.next(closed, PortOpcode.CONNECT).result, -ECANCELED);
    t.is(driver.next(closed, PortOpcode.CLOSE).result, 0);
    driver.end();
  });
}
