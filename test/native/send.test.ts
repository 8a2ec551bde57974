/** Sends of many pieces and of more than the kernel takes at once, over every backend. */
import test from 'ava';
import { CloseMode, PIECES_PER_SEND, PortOpcode } from '../../src/protocol/port-records.js';
import { errno } from '../util/errno.js';
import { backends, type Completion, type Piece, PortDriver } from '../util/port-driver.js';
import { Listening } from '../util/port-sockets.js';
import { Random } from '../util/random.js';

const { EALREADY, ECANCELED, ECONNRESET, EINVAL, EPIPE } = errno;
const { RECEIVE, SEND, CLOSE } = PortOpcode;
const GROUP = 1;
const MIB = 2 ** 20;

/** Receives one buffer at a time, given back at once, until `length` bytes have come or the stream has ended. */
function readSlowly(driver: PortDriver, server: number, length: number): Buffer {
  const chunks: Buffer[] = [];
  let received = 0;
  while (received < length) {
    driver.receive(server, GROUP, 1);
    for (const one of driver.toRelease(server, RECEIVE)) {
      if (one.result === 0) return Buffer.concat(chunks);
      chunks.push(driver.bytesOf(one, 4096));
      received += one.result;
      driver.provide(GROUP, one.segment, one.index);
    }
  }
  return Buffer.concat(chunks);
}

for (const backend of backends) {
  const title = (text: string) => `${backend}: ${text}`;

  test(title('16 pieces of any length are one send: one release, the total, in order'), (t) => {
    const random = Random.for(t);
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 4, 4096);
    const out = driver.addSegment(PIECES_PER_SEND, 4096);
    const bytes = random.bytes(PIECES_PER_SEND * 4096);
    driver.memory[out]?.set(bytes);
    const { client, server } = new Listening(driver).pair();
    for (const lengths of [
      Array.from({ length: 16 }, () => random.integer(1, 4096)),
      Array.from({ length: 16 }, (_, at) => (at % 3 === 0 ? 0 : at)),
      [5],
      [0, 7],
    ]) {
      const pieces = lengths.map((length, at): Piece => [out, at * 4096, length]);
      driver.send(client, ...pieces);
      const total = lengths.reduce((sum, length) => sum + length, 0);
      const sent = driver.next(client, SEND);
      t.deepEqual([sent.result, sent.more], [total, false]);
      const expected = Buffer.concat(pieces.map(([, offset, length]) => bytes.subarray(offset, offset + length)));
      t.true(readSlowly(driver, server, total).equals(expected));
    }
    driver.end();
  });

  test(title('17 pieces, or a piece promised and not there, are rejected as a whole'), (t) => {
    const driver = new PortDriver(backend);
    const out = driver.addSegment(1);
    const { client } = new Listening(driver).pair();
    driver.send(client, ...Array.from({ length: 17 }, (): Piece => [out, 0, 1]));
    t.deepEqual(
      [driver.next(client, SEND)].map(({ result, rejected }) => [result, rejected]),
      [[-EINVAL, true]],
    );
    driver.send(client, [out, 0, 1]);
    t.is(driver.next(client, SEND).result, 1);
    driver.end();
  });

  test(title('a send of no bytes completes with 0'), (t) => {
    const driver = new PortDriver(backend);
    const out = driver.addSegment(1);
    const { client } = new Listening(driver).pair();
    driver.send(client, [out, 0, 0]);
    t.is(driver.next(client, SEND).result, 0);
    driver.send(client, [out, 1024, 0], [out, 3, 0]);
    t.is(driver.next(client, SEND).result, 0);
    driver.end();
  });

  test(title('8 MiB to a slow reader: completes once, when every byte is taken, and all arrive'), (t) => {
    const random = Random.for(t);
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 2, 4096);
    const out = driver.addSegment(16, MIB / 2);
    const bytes = random.bytes(8 * MIB);
    driver.memory[out]?.set(bytes);
    const { client, server } = new Listening(driver).pair();
    driver.send(client, ...Array.from({ length: 16 }, (_, at): Piece => [out, (at * MIB) / 2, MIB / 2]));
    driver.settle();
    t.deepEqual(driver.inFlight(), [`${client}:${SEND}`], 'it waits for room');
    driver.send(client, [out, 0, 1]);
    t.is(driver.next(client, SEND).result, -EALREADY, 'no second one beside it');
    t.true(readSlowly(driver, server, 8 * MIB).equals(bytes));
    t.is(driver.next(client, SEND).result, 8 * MIB);
    driver.end();
  });

  test(
    title('a pending send cancelled or closed at a random moment is released once; what arrived is a prefix'),
    (t) => {
      const random = Random.for(t);
      const driver = new PortDriver(backend);
      driver.provideSegment(GROUP, 8, 4096);
      const out = driver.addSegment(16, MIB / 2);
      const bytes = random.bytes(8 * MIB);
      driver.memory[out]?.set(bytes);
      const listening = new Listening(driver);
      for (let round = 0; round < 12; round++) {
        const { client, server } = listening.pair();
        driver.send(client, ...Array.from({ length: 16 }, (_, at): Piece => [out, (at * MIB) / 2, MIB / 2]));
        const before = readSlowly(driver, server, random.integer(0, 1) * random.logUniform(1, 7 * MIB));
        const how = random.integer(0, 2);
        if (how === 0) driver.cancel(client, SEND);
        else driver.close(client, how - 1);
        const { result } = driver.next(client, SEND);
        t.true(result === -ECANCELED || result === 8 * MIB, `${result}`);
        if (how === 0) driver.close(client, CloseMode.FLUSHED);
        t.is(driver.next(client, CLOSE).result, 0);
        const chunks = [before];
        let last: Completion | undefined;
        do {
          driver.receive(server, GROUP, 4);
          for (const one of driver.toRelease(server, RECEIVE)) {
            last = one;
            if (one.result <= 0) continue;
            chunks.push(driver.bytesOf(one, 4096));
            driver.provide(GROUP, one.segment, one.index);
          }
        } while (last?.result !== 0 && last?.result !== -ECONNRESET);
        const arrived = Buffer.concat(chunks);
        t.true(arrived.equals(bytes.subarray(0, arrived.length)), `round ${round}: ${arrived.length} bytes`);
        driver.closeNow(server);
      }
      driver.end();
    },
  );

  test(title('a pending send fails with the reset of its connection'), (t) => {
    const driver = new PortDriver(backend);
    const out = driver.addSegment(16, MIB / 2);
    const { client, server } = new Listening(driver).pair();
    driver.send(client, ...Array.from({ length: 16 }, (_, at): Piece => [out, (at * MIB) / 2, MIB / 2]));
    driver.settle();
    driver.closeNow(server, CloseMode.RESET);
    const { result, more } = driver.next(client, SEND);
    t.true(!more && [-ECONNRESET, -EPIPE].includes(result), `${result}`);
    driver.end();
  });

  test(
    title('a send with a reader that takes a little at a time goes through, however often it waits for room'),
    (t) => {
      const random = Random.for(t);
      const driver = new PortDriver(backend);
      const listening = new Listening(driver);
      const out = driver.addSegment(16, MIB / 2);
      const bytes = random.bytes(8 * MIB);
      driver.memory[out]?.set(bytes);
      driver.provideSegment(GROUP, 64, 512);
      const pairs = Array.from({ length: 4 }, () => listening.pair());
      const arrived = new Map(pairs.map(({ server }) => [server, 0]));
      for (const { client, server } of pairs) {
        driver.send(client, ...Array.from({ length: 16 }, (_, at): Piece => [out, (at * MIB) / 2, MIB / 2]));
        driver.receive(server, GROUP, 2);
      }
      while ([...arrived.values()].some((length) => length < 8 * MIB)) {
        const one = driver.find(({ opcode }) => opcode === RECEIVE);
        const position = arrived.get(one.endpoint) as number;
        if (one.result > 0) {
          const piece = driver.bytesOf(one, 512);
          if (!piece.equals(bytes.subarray(position, position + piece.length))) return t.fail(`at ${position}`);
          arrived.set(one.endpoint, position + piece.length);
          driver.provide(GROUP, one.segment, one.index);
        }
        if (!one.more && position + Math.max(0, one.result) < 8 * MIB) driver.receive(one.endpoint, GROUP, 2);
      }
      for (const { client } of pairs) t.is(driver.next(client, SEND).result, 8 * MIB);
      driver.end();
    },
  );

  test(title('sends one after the other keep their order'), (t) => {
    const random = Random.for(t);
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 8, 4096);
    const out = driver.addSegment(16, 65_536);
    const bytes = random.bytes(16 * 65_536);
    driver.memory[out]?.set(bytes);
    const { client, server } = new Listening(driver).pair();
    const [expected, arrived]: [Buffer[], Buffer[]] = [[], []];
    const sendOne = () => {
      const [offset, length] = [random.integer(0, 15 * 65_536), random.logUniform(1, 65_536)];
      expected.push(bytes.subarray(offset, offset + length));
      driver.send(client, [out, offset, length]);
    };
    sendOne();
    driver.receive(server, GROUP, 1_000_000);
    for (let sent = 1; sent < 200 || driver.inFlight().some((key) => key.endsWith(`:${SEND}`)); ) {
      const one = driver.find(() => true);
      if (one.opcode === SEND && sent++ < 200) sendOne();
      if (one.opcode !== RECEIVE) continue;
      if (one.result > 0) arrived.push(driver.bytesOf(one, 4096));
      if (one.result > 0) driver.provide(GROUP, one.segment, one.index);
      if (!one.more) driver.receive(server, GROUP, 1_000_000);
    }
    driver.close(client, CloseMode.FLUSHED);
    for (let ended = false; !ended; ) {
      const one = driver.next(server, RECEIVE);
      ended = one.result === 0;
      if (one.result > 0) arrived.push(driver.bytesOf(one, 4096));
      if (one.result > 0) driver.provide(GROUP, one.segment, one.index);
      if (!one.more && !ended) driver.receive(server, GROUP, 1_000_000);
    }
    t.true(Buffer.concat(arrived).equals(Buffer.concat(expected)));
    driver.end();
  });
}
