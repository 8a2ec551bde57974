/** Pipes at the port, as native/completion_port.h promises it: named ones of Windows, and descriptors that are no sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { CloseMode, CompletionFlag, PortOpcode, ShutdownHow } from '../../src/protocol/port-records.js';
import { errno } from '../util/errno.js';
import { openFifo, openHandle, openPipeServer } from '../util/handles.js';
import { ADDRESS_BYTES, BUFFER_SIZE, backends, PortDriver } from '../util/port-driver.js';

const { ECANCELED, EINVAL, ENOBUFS, EPIPE } = errno;
const GROUP = 7;
const NOBODY = new Uint8Array(ADDRESS_BYTES);

const folder = mkdtempSync(join(tmpdir(), 'sideport-pipes-'));
test.after.always('the FIFOs are removed', () => rmSync(folder, { recursive: true, force: true }));
let names = 0;
const newName = () => `\\\\.\\pipe\\sideport-native-${process.pid}-${names++}`;

/** A port with buffers and 64 KiB to send from, and both ends of a named pipe. */
class Pipe {
  readonly driver: PortDriver;
  readonly out: number;
  readonly server: number;
  readonly #name = newName();
  readonly #messages: boolean;

  constructor(backend: string, messages = false) {
    this.driver = new PortDriver(backend);
    this.driver.provideSegment(GROUP, 8);
    this.out = this.driver.addSegment(64);
    this.#messages = messages;
    this.server = this.driver.adopt(openPipeServer(this.#name, messages));
  }

  openClient(): number {
    return this.driver.adopt(openHandle(this.#name, this.#messages));
  }

  /** A session: the client's endpoint. */
  connect(): number {
    this.driver.connect(this.server, NOBODY);
    this.driver.turn();
    const client = this.openClient();
    if (this.driver.next(this.server, PortOpcode.CONNECT).result !== 0) throw new Error('no client came');
    return client;
  }
}

for (const backend of backends.filter((name) => name === 'iocp')) {
  const title = (text: string) => `${backend}: ${text}`;

  test(title('a server’s end waits for a client; what waits behind it is performed then'), (t) => {
    const pipe = new Pipe(backend);
    const { driver, server } = pipe;
    driver.connect(server, NOBODY);
    driver.receive(server, GROUP, 4);
    driver.settle();
    t.deepEqual(driver.takeSeen(), []);
    const client = pipe.openClient();
    t.is(driver.next(server, PortOpcode.CONNECT).result, 0);
    driver.memory[pipe.out]?.set(Buffer.from('ping'));
    driver.send(client, [pipe.out, 0, 4]);
    t.is(driver.next(client, PortOpcode.SEND).result, 4);
    const received = driver.next(server, PortOpcode.RECEIVE);
    t.deepEqual([received.result, received.more], [4, true]);
    t.is(driver.bytesOf(received).toString(), 'ping');
    driver.closeNow(client);
    const [end] = driver.toRelease(server, PortOpcode.RECEIVE);
    t.is(end?.result, 0);
    driver.send(server, [pipe.out, 0, 4]);
    t.is(driver.next(server, PortOpcode.SEND).result, -EPIPE);
    driver.end();
  });

  test(title('a client that is there already is told without a packet'), (t) => {
    const pipe = new Pipe(backend);
    const client = pipe.openClient();
    pipe.driver.connect(pipe.server, NOBODY);
    t.is(pipe.driver.next(pipe.server, PortOpcode.CONNECT).result, 0);
    pipe.driver.closeNow(client);
    pipe.driver.end();
  });

  test(title('each part of a long message but the last is marked'), (t) => {
    const pipe = new Pipe(backend, true);
    const { driver, server } = pipe;
    const client = pipe.connect();
    driver.send(client, [pipe.out, 0, 2 * BUFFER_SIZE + 1], [pipe.out, 0, BUFFER_SIZE], [pipe.out, 0, 5]);
    driver.receive(server, GROUP, 5);
    const parts: (readonly [number, boolean])[] = [];
    for (let more = true; more; ) {
      const { result, more: goesOn, flags } = driver.next(server, PortOpcode.RECEIVE);
      parts.push([result, (flags & CompletionFlag.GOES_ON) !== 0]);
      more = goesOn;
    }
    t.deepEqual(parts, [
      [BUFFER_SIZE, true],
      [BUFFER_SIZE, true],
      [1, false],
      [BUFFER_SIZE, false],
      [5, false],
    ]);
    t.is(driver.next(client, PortOpcode.SEND).result, 3 * BUFFER_SIZE + 6);
    driver.end();
  });

  test(title('without a buffer a receive ends with ENOBUFS, and nothing is lost'), (t) => {
    const pipe = new Pipe(backend);
    const { driver, server } = pipe;
    const client = pipe.connect();
    driver.dropGroup(GROUP);
    driver.receive(server, GROUP, 4);
    driver.memory[pipe.out]?.set(Buffer.from('kept'));
    driver.send(client, [pipe.out, 0, 4]);
    t.is(driver.next(server, PortOpcode.RECEIVE).result, -ENOBUFS);
    driver.provideSegment(GROUP, 1);
    driver.receive(server, GROUP, 1);
    t.is(driver.bytesOf(driver.next(server, PortOpcode.RECEIVE)).toString(), 'kept');
    driver.end();
  });

  test(title('a wait that is cancelled is released; the next one finds a client'), (t) => {
    const pipe = new Pipe(backend);
    for (let round = 0; round < 3; round++) {
      pipe.driver.connect(pipe.server, NOBODY);
      pipe.driver.turn();
      pipe.driver.cancel(pipe.server, PortOpcode.CONNECT);
      t.is(pipe.driver.next(pipe.server, PortOpcode.CONNECT).result, -ECANCELED);
    }
    t.notThrows(() => pipe.connect());
    pipe.driver.end();
  });

  test(title('one session after another on one endpoint: nothing of the last is told in the next'), (t) => {
    const pipe = new Pipe(backend);
    const { driver, server } = pipe;
    for (let session = 0; session < 5; session++) {
      const client = pipe.connect();
      driver.receive(server, GROUP, 8);
      // More than the pipe takes: it stays in flight.
      driver.send(server, [pipe.out, 0, 64 * BUFFER_SIZE], [pipe.out, 0, 64 * BUFFER_SIZE]);
      driver.memory[pipe.out]?.fill(session, 0, 10);
      driver.send(client, [pipe.out, 0, 10]);
      const received = driver.next(server, PortOpcode.RECEIVE);
      t.deepEqual(driver.bytesOf(received), Buffer.alloc(10, session));
      driver.provide(GROUP, received.segment, received.index);
      if (session % 2 === 0) driver.closeNow(client);
      for (const opcode of [PortOpcode.RECEIVE, PortOpcode.SEND]) driver.cancel(server, opcode);
      driver.shutdown(server, ShutdownHow.SESSION);
      driver.toRelease(server, PortOpcode.RECEIVE);
      driver.next(server, PortOpcode.SEND);
      if (session % 2 === 1) driver.closeNow(client);
    }
    driver.end();
  });

  for (const mode of [CloseMode.FLUSHED, CloseMode.RESET]) {
    test(title(`a close releases what a pipe has in flight (mode ${mode})`), (t) => {
      const pipe = new Pipe(backend);
      const { driver, server } = pipe;
      const client = pipe.connect();
      driver.receive(server, GROUP, 8);
      driver.send(server, [pipe.out, 0, 64 * BUFFER_SIZE], [pipe.out, 0, 64 * BUFFER_SIZE]);
      driver.settle();
      driver.close(server, mode);
      driver.next(server, PortOpcode.CLOSE);
      t.deepEqual(driver.inFlight(), []);
      driver.closeNow(client);
      driver.end();
    });
  }

  test(title('a port that ends reaps what pipes have in flight'), (t) => {
    const pipe = new Pipe(backend);
    const client = pipe.connect();
    pipe.driver.receive(client, GROUP, 8);
    pipe.driver.send(pipe.server, [pipe.out, 0, 64 * BUFFER_SIZE], [pipe.out, 0, 64 * BUFFER_SIZE]);
    const waiting = new Pipe(backend);
    waiting.driver.connect(waiting.server, NOBODY);
    // The later one first: what is open is compared with what was when the driver was made.
    for (const { driver } of [waiting, pipe]) {
      driver.turn();
      t.notThrows(() => driver.end());
    }
  });
}

for (const backend of backends.filter((name) => name !== 'iocp')) {
  const title = (text: string) => `${backend}: ${text}`;

  test(title('a pipe’s ends receive and send as sockets do'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 2);
    const out = driver.addSegment(4);
    const ends = openFifo(join(folder, `${names++}`));
    const [reader, writer] = [driver.adopt(ends.reader), driver.adopt(ends.writer)];
    driver.receive(reader, GROUP, 8);
    driver.settle();
    t.deepEqual(driver.takeSeen(), [], 'it waits, and holds no buffer');
    driver.memory[out]?.set(Buffer.from('abcdef'));
    driver.send(writer, [out, 0, 2], [out, 2, 4]);
    t.is(driver.next(writer, PortOpcode.SEND).result, 6);
    const received = driver.next(reader, PortOpcode.RECEIVE);
    t.deepEqual([received.result, received.more], [6, true]);
    t.is(driver.bytesOf(received).toString(), 'abcdef');
    driver.send(writer, [out, 0, 2 * BUFFER_SIZE]);
    t.is(driver.next(writer, PortOpcode.SEND).result, 2 * BUFFER_SIZE);
    t.is(driver.next(reader, PortOpcode.RECEIVE).result, BUFFER_SIZE);
    t.is(driver.next(reader, PortOpcode.RECEIVE).result, -ENOBUFS, 'the rest stays in the pipe');
    driver.provideSegment(GROUP, 2);
    driver.receive(reader, GROUP, 8);
    t.is(driver.next(reader, PortOpcode.RECEIVE).result, BUFFER_SIZE);
    driver.closeNow(writer);
    const [end] = driver.toRelease(reader, PortOpcode.RECEIVE);
    t.is(end?.result, 0);
    driver.end();
  });

  test(title('cancelling and closing release what a pipe has in flight'), (t) => {
    const driver = new PortDriver(backend);
    driver.provideSegment(GROUP, 2);
    const out = driver.addSegment(512);
    const ends = openFifo(join(folder, `${names++}`));
    const [reader, writer] = [driver.adopt(ends.reader), driver.adopt(ends.writer)];
    for (let round = 0; round < 3; round++) {
      driver.receive(reader, GROUP, 1);
      if (round > 0) driver.settle();
      driver.cancel(reader, PortOpcode.RECEIVE);
      t.is(driver.next(reader, PortOpcode.RECEIVE).result, -ECANCELED);
    }
    // More than a pipe takes.
    driver.send(writer, [out, 0, 512 * BUFFER_SIZE]);
    driver.settle();
    driver.cancel(writer, PortOpcode.SEND);
    t.is(driver.next(writer, PortOpcode.SEND).result, -ECANCELED);
    driver.send(writer, [out, 0, 512 * BUFFER_SIZE]);
    driver.settle();
    driver.close(writer, CloseMode.FLUSHED);
    driver.next(writer, PortOpcode.CLOSE);
    driver.receive(reader, GROUP, 1);
    driver.end();
  });

  test(title('a pipe accepts and connects nobody'), (t) => {
    const driver = new PortDriver(backend);
    const ends = openFifo(join(folder, `${names++}`));
    const [reader, writer] = [driver.adopt(ends.reader), driver.adopt(ends.writer)];
    driver.connect(writer, NOBODY);
    t.is(driver.next(writer, PortOpcode.CONNECT).result, -EINVAL);
    driver.accept(reader, 1);
    driver.send(writer, [driver.addSegment(1), 0, 1]);
    t.true(driver.next(reader, PortOpcode.ACCEPT).result < 0);
    driver.end();
  });
}
