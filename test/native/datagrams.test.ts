/** Datagrams, as native/completion_port.h promises them, over every backend. */
import test from 'ava';
import { HEADER_BYTES, Header, TRUNCATED } from '../../src/protocol/datagram.js';
import { LITTLE_ENDIAN } from '../../src/protocol/endian.js';
import { CloseMode, PIECES_PER_SEND_TO, PortOpcode } from '../../src/protocol/port-records.js';
import { errno } from '../util/errno.js';
import { underWine, unless } from '../util/platform.js';
import {
  ADDRESS_BYTES,
  addon,
  BUFFER_SIZE,
  backends,
  type Completion,
  type Piece,
  PortDriver,
} from '../util/port-driver.js';
import { Listening, localAddress, openDatagramSocket } from '../util/port-sockets.js';

const { ECANCELED, ECONNREFUSED, EALREADY, EINVAL, EMSGSIZE, ENOBUFS } = errno;
const { CLOSE, RECEIVE, RECEIVE_FROM, SEND_TO } = PortOpcode;
const GROUP = 3;
const PAYLOAD = BUFFER_SIZE - HEADER_BYTES;

/** Two sockets of a port, and a segment of bytes that count up, from which `a` sends to `b`. */
class Sockets {
  readonly driver: PortDriver;
  readonly a: number;
  readonly b: number;
  readonly addressOfA: Uint8Array;
  readonly addressOfB: Uint8Array;
  readonly out: number;

  constructor(driver: PortDriver) {
    this.driver = driver;
    const [a, b] = [openDatagramSocket(), openDatagramSocket()];
    this.addressOfA = localAddress(a);
    this.addressOfB = localAddress(b);
    this.a = driver.adopt(a);
    this.b = driver.adopt(b);
    this.out = driver.addSegment(1, 65_536);
    const memory = driver.memory[this.out] as Uint8Array;
    for (let at = 0; at < memory.length; at++) memory[at] = at % 251;
  }

  /** Datagrams of these lengths, each from the beginning of the segment. */
  send(...lengths: number[]): void {
    const datagrams = lengths.map((length): Piece[] => [[this.out, 0, length]]);
    this.driver.sendTo(this.a, this.addressOfB, ...datagrams);
    const { result } = this.driver.next(this.a, SEND_TO);
    if (result !== lengths.length) throw new Error(`sent ${result} of ${lengths.length}`);
  }

  /** What a completion says, once the header in its buffer agrees. */
  read(completion: Completion): { length: number; truncated: boolean; from: Uint8Array; bytes: Buffer } {
    const { segment, index, result } = completion;
    const { buffer } = this.driver.memory[segment] as Uint8Array;
    const view = new DataView(buffer, index * BUFFER_SIZE, BUFFER_SIZE);
    if (view.getInt32(Header.LENGTH, LITTLE_ENDIAN) !== result) throw new Error('header and completion disagree');
    const from = Buffer.from(new Uint8Array(buffer, index * BUFFER_SIZE + Header.SOURCE, ADDRESS_BYTES));
    const bytes = Buffer.from(new Uint8Array(buffer, index * BUFFER_SIZE + HEADER_BYTES, result));
    const truncated = (view.getInt32(Header.FLAGS, LITTLE_ENDIAN) & TRUNCATED) !== 0;
    return { length: result, truncated, from, bytes };
  }
}

const connectDatagram = (fd: number, address: Uint8Array) => addon.socket.connectDatagram(fd, address);

const counting = (length: number) => Buffer.from(Uint8Array.from({ length }, (_, at) => at % 251));

for (const backend of backends) {
  const title = (text: string) => `${backend}: ${text}`;
  test(title('datagrams arrive whole, empty ones included, behind a header that names the sender'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 64);
    const sockets = new Sockets(driver);
    driver.receiveFrom(sockets.b, GROUP, 100);
    const lengths = [1, 0, PAYLOAD, 0, 17];
    sockets.send(...lengths);
    for (const length of lengths) {
      const completion = driver.next(sockets.b, RECEIVE_FROM);
      const got = sockets.read(completion);
      t.deepEqual(got, { length, truncated: false, from: Buffer.from(sockets.addressOfA), bytes: counting(length) });
      t.true(completion.more);
    }
    driver.end();
  });

  test(title('a datagram longer than its buffer is truncated, says so, and is gone'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 64);
    const sockets = new Sockets(driver);
    driver.receiveFrom(sockets.b, GROUP, 100);
    sockets.send(PAYLOAD + 1, 3, 60_000);
    for (const [length, truncated] of [
      [PAYLOAD, true],
      [3, false],
      [PAYLOAD, true],
    ] as const) {
      const got = sockets.read(driver.next(sockets.b, RECEIVE_FROM));
      t.deepEqual([got.length, got.truncated], [length, truncated]);
      t.deepEqual(got.bytes, counting(length));
    }
    driver.end();
  });

  test(title('an empty group ends the receive with ENOBUFS, and the kernel keeps what it has'), (t) => {
    const driver = new PortDriver(backend);
    const segment = driver.provideSegment(GROUP, 2);
    const sockets = new Sockets(driver);
    sockets.send(1, 2, 3, 4, 5);
    const got: number[] = [];
    // Two fill the group; the third finds it empty, and so on.
    for (const expected of [2, 2]) {
      driver.receiveFrom(sockets.b, GROUP, 100);
      const completions = driver.toRelease(sockets.b, RECEIVE_FROM);
      t.is(completions.at(-1)?.result, -ENOBUFS);
      t.is(completions.length - 1, expected);
      for (const one of completions.slice(0, -1)) {
        got.push(one.result);
        driver.provide(GROUP, segment, one.index);
      }
    }
    driver.receiveFrom(sockets.b, GROUP, 100);
    got.push(driver.next(sockets.b, RECEIVE_FROM).result);
    t.deepEqual(got, [1, 2, 3, 4, 5]);
    driver.end();
  });

  test(title('at the limit a receive ends, and no datagram is lost between two'), (t) => {
    const driver = new PortDriver(backend);
    const segment = driver.provideSegment(GROUP, 64);
    const sockets = new Sockets(driver);
    sockets.send(...Array.from({ length: 40 }, (_, at) => at));
    const got: number[] = [];
    for (let missing = 40; missing > 0; missing = 40 - got.length) {
      const limit = Math.min(3, missing);
      driver.receiveFrom(sockets.b, GROUP, limit);
      const filled = driver.toRelease(sockets.b, RECEIVE_FROM).filter(({ result }) => result >= 0);
      t.true(filled.length >= limit);
      for (const one of filled) {
        got.push(one.result);
        driver.provide(GROUP, segment, one.index);
      }
    }
    t.deepEqual(
      got,
      Array.from({ length: 40 }, (_, at) => at),
    );
    driver.end();
  });

  test(title('one send carries many datagrams, a datagram many pieces'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 64);
    const sockets = new Sockets(driver);
    driver.receiveFrom(sockets.b, GROUP, 1000);
    const { out } = sockets;
    const pieces: Piece[] = Array.from({ length: 30 }, (_, at) => [out, at * 10, 10]);
    driver.sendTo(sockets.a, sockets.addressOfB, pieces, [[out, 0, 5]], [[out, 0, 0]], pieces);
    t.is(driver.next(sockets.a, SEND_TO).result, 4);
    for (const length of [300, 5, 0, 300]) {
      t.deepEqual(sockets.read(driver.next(sockets.b, RECEIVE_FROM)).bytes, counting(length));
    }
    driver.end();
  });

  test(title('a send ends at the first datagram that fails, and says how many went before'), (t) => {
    const driver = new PortDriver(backend);
    const { a, out, addressOfB } = new Sockets(driver);
    const tooLong: Piece[] = [
      [out, 0, 65_536],
      [out, 0, 100],
    ];
    driver.sendTo(a, addressOfB, [[out, 0, 1]], [[out, 0, 2]], tooLong, [[out, 0, 3]]);
    t.is(driver.next(a, SEND_TO).result, 2);
    driver.sendTo(a, addressOfB, tooLong, [[out, 0, 3]]);
    t.is(driver.next(a, SEND_TO).result, -EMSGSIZE);
    driver.end();
  });

  const told = unless(underWine, 'Wine does not tell a socket that nobody listens where it sent to');
  told(title('an error of an earlier datagram comes with kMore and no buffer; receiving goes on'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 8);
    const sockets = new Sockets(driver);
    const gone = openDatagramSocket();
    const nowhere = localAddress(gone);
    driver.closeNow(driver.adopt(gone));
    const connected = openDatagramSocket();
    const endpoint = driver.adopt(connected);
    t.is(connectDatagram(connected, nowhere), 0);
    driver.receiveFrom(endpoint, GROUP, 100);
    driver.sendTo(endpoint, undefined, [[sockets.out, 0, 1]]);
    t.is(driver.next(endpoint, SEND_TO).result, 1);
    const told = driver.next(endpoint, RECEIVE_FROM);
    t.deepEqual([told.result, told.more, told.segment], [-ECONNREFUSED, true, -1]);
    t.is(connectDatagram(connected, sockets.addressOfA), 0);
    driver.sendTo(sockets.a, localAddress(connected), [[sockets.out, 0, 7]]);
    t.is(driver.next(endpoint, RECEIVE_FROM).result, 7);
    driver.end();
  });

  test(title('what no selector submits is refused, and starts nothing'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 8);
    const { a, b, out, addressOfB } = new Sockets(driver);
    driver.receiveFrom(b, GROUP, 0);
    t.is(driver.next(b, RECEIVE_FROM).result, -EINVAL);
    driver.sendTo(a, addressOfB, [[out, 65_000, 1000]]);
    t.is(driver.next(a, SEND_TO).result, -EINVAL);
    const badAddress = Uint8Array.from({ length: ADDRESS_BYTES }, () => 9);
    driver.sendTo(a, badAddress, [[out, 0, 1]]);
    t.is(driver.next(a, SEND_TO).result, -EINVAL);
    const many = Array.from({ length: PIECES_PER_SEND_TO + 1 }, (): Piece[] => [[out, 0, 1]]);
    driver.sendTo(a, addressOfB, ...many);
    t.is(driver.next(a, SEND_TO).result, -EINVAL);
    driver.receiveFrom(b, GROUP, 1);
    driver.start(RECEIVE, b, [GROUP, 1]);
    const refused = driver.next(b, RECEIVE);
    t.deepEqual([refused.result, refused.rejected], [-EALREADY, true]);
    driver.end();
  });

  test(title('cancelling and closing release a receive that waits'), (t) => {
    const driver = new PortDriver(backend);
    const segment = driver.provideSegment(GROUP, 8);
    const { a, b } = new Sockets(driver);
    driver.receiveFrom(a, GROUP, 10);
    driver.settle();
    driver.cancel(a, RECEIVE_FROM);
    t.deepEqual(
      driver.toRelease(a, RECEIVE_FROM).map(({ result }) => result),
      [-ECANCELED],
    );
    driver.receiveFrom(b, GROUP, 10);
    driver.settle();
    t.false(driver.native.removeSegment(segment));
    driver.close(b, CloseMode.RESET);
    t.is(driver.next(b, RECEIVE_FROM).result, -ECANCELED);
    t.is(driver.next(b, CLOSE).result, 0);
    driver.dropGroup(GROUP);
    t.true(driver.native.removeSegment(segment));
    driver.end();
  });

  test(title('a flood of datagrams does not keep a connection waiting'), (t) => {
    const driver = new PortDriver(backend, 16);
    const segment = driver.provideSegment(GROUP, 200);
    const sockets = new Sockets(driver);
    const pair = new Listening(driver).pair();
    for (let time = 0; time < 3; time++) sockets.send(...Array.from({ length: 50 }, () => 100));
    driver.receiveFrom(sockets.b, GROUP, 1000);
    driver.receive(pair.server, GROUP, 1);
    driver.send(pair.client, [sockets.out, 0, 10]);
    let datagrams = 0;
    for (let turn = 0; turn < 100; turn++) {
      const completions = driver.turn(10);
      datagrams += completions.filter(({ opcode }) => opcode === RECEIVE_FROM).length;
      if (completions.some(({ opcode }) => opcode === RECEIVE)) break;
    }
    t.true(datagrams < 150, `${datagrams} of 150 datagrams came first`);
    t.true(segment >= 0);
    driver.end();
  });
}
