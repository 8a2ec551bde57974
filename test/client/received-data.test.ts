import test from 'ava';
import { wishForBuffers } from '../../src/atomics/flag.js';
import { NO_CHUNK } from '../../src/client/buffers/chunk-table.js';
import { Lease } from '../../src/client/buffers/lease.js';
import { type Reader, ReceivedData } from '../../src/client/buffers/received-data.js';
import { Segments } from '../../src/client/buffers/segments.js';
import { Announcements } from '../../src/client/link/announcements.js';
import { BuffersWanted, clientMemoryBytes, geometryFor } from '../../src/protocol/client-memory.js';
import { MESSAGE_GOES_ON } from '../../src/protocol/events.js';
import { Submission } from '../../src/protocol/submissions.js';
import { Random } from '../util/random.js';

const BUFFERS = 8;
const BUFFER_BYTES = 16;

/** A client's received data whose I/O thread is this test, and two streams that read. */
class Fixture {
  readonly readers: readonly Reader[] = [0, 1].map((slot) => ({
    slot,
    generation: 7,
    firstChunk: NO_CHUNK,
    lastChunk: NO_CHUNK,
    lentChunk: NO_CHUNK,
  }));
  readonly received: ReceivedData;
  readonly words = new Int32Array(new SharedArrayBuffer(clientMemoryBytes(geometryFor(2, BUFFERS, 1))));
  /** Buffers that the reader has not given back. */
  readonly held = new Set<number>();
  /** Per reader: copied-out chunks that it has not read. */
  readonly copied = [0, 0];
  readonly #owner = new Map<number, number>();
  readonly #bytes: Uint8Array;
  #fill = 0;

  constructor(maxUnreadBytes = 1 << 20) {
    const memory = new SharedArrayBuffer(BUFFERS * BUFFER_BYTES);
    this.#bytes = new Uint8Array(memory);
    const segments = [{ use: 'receive', memory, bufferSize: BUFFER_BYTES, bufferCount: BUFFERS }] as const;
    const channel = { unref() {}, onmessage: undefined };
    this.received = new ReceivedData(
      this.words,
      new Segments(new Announcements(segments, channel as unknown as ConstructorParameters<typeof Announcements>[1])),
      { submit: (opcode, slot, _generation, a = 0, b = 0) => this.#submitted(opcode, slot, a, b), recycled() {} },
      maxUnreadBytes,
    );
  }

  /** Bytes arrive for a reader, if a buffer is free. Returns them. */
  receive(reader: number, length: number, goesOn = false): Uint8Array | undefined {
    const buffer = [...Array(BUFFERS).keys()].find((index) => !this.held.has(index));
    if (buffer === undefined) return undefined;
    const at = buffer * BUFFER_BYTES;
    for (let byte = 0; byte < length; byte++) this.#bytes[at + byte] = this.#fill++ & 255;
    this.held.add(buffer);
    this.#owner.set(buffer, reader);
    this.received.add(this.readers[reader] as Reader, buffer, goesOn ? length | MESSAGE_GOES_ON : length);
    return this.#bytes.slice(at, at + length);
  }

  #submitted(opcode: number, slot: number, a: number, b: number): void {
    if (opcode === Submission.COPIES_READ) {
      this.copied[slot] = (this.copied[slot] as number) - a;
      return;
    }
    if (opcode !== Submission.RECYCLE || !this.held.delete(a)) throw new Error(`buffer ${a} came back twice`);
    // It is written anew at once: whoever still looks at it reads something else.
    this.#bytes.fill(0xee, a * BUFFER_BYTES, (a + 1) * BUFFER_BYTES);
    if (b === 1) {
      const owner = this.#owner.get(a) as number;
      this.copied[owner] = (this.copied[owner] as number) + 1;
    }
  }
}

test('whatever is read, lent, copied out, given back or dropped: the bytes are right, and every buffer comes back once', (t) => {
  const random = Random.for(t);
  const fixture = new Fixture();
  const { received, readers } = fixture;
  const expected: number[][] = [[], []];
  const leases: { reader: number; lease: Lease; bytes: Uint8Array }[] = [];
  wishForBuffers(fixture.words, BuffersWanted.COPIED_OUT);
  for (let step = 0; step < 20_000; step++) {
    const who = random.integer(0, 1);
    const reader = readers[who] as Reader;
    const mine = expected[who] as number[];
    switch (random.integer(0, 6)) {
      case 0:
      case 1:
        mine.push(...(fixture.receive(who, random.integer(1, BUFFER_BYTES)) ?? []));
        break;
      case 2: {
        const into = new Uint8Array(random.integer(1, 2 * BUFFER_BYTES));
        const count = received.read(reader, into);
        t.deepEqual([...into.subarray(0, count)], mine.splice(0, count));
        break;
      }
      case 3: {
        if (reader.firstChunk === NO_CHUNK) break;
        const lease = new Lease(received, reader);
        leases.push({ reader: who, lease, bytes: Uint8Array.from(mine.splice(0, lease.length)) });
        break;
      }
      case 4: {
        const [one] = leases.splice(random.integer(0, leases.length), 1);
        if (!one) break;
        t.deepEqual(one.lease.copy(), one.bytes);
        one.lease.release();
        one.lease.release();
        t.throws(() => one.lease.bytes, { code: 'ERR_SIDEPORT_LEASE_RELEASED' });
        break;
      }
      case 5:
        received.beginDrain();
        received.copyOut();
        break;
      default:
        if (random.integer(0, 49) > 0) break;
        received.discard(reader);
        mine.length = 0;
        for (let at = leases.length - 1; at >= 0; at--) {
          const { reader: of, lease } = leases[at] as (typeof leases)[number];
          if (of !== who) continue;
          t.throws(() => lease.bytes, { code: 'ERR_SIDEPORT_LEASE_RELEASED' });
          leases.splice(at, 1);
        }
    }
  }
  for (const reader of readers) received.discard(reader);
  t.is(fixture.held.size, 0);
  t.deepEqual(fixture.copied, [0, 0]);
});

test('what the last drain brought is not copied, and nothing is beyond the bound', (t) => {
  const fixture = new Fixture(65_536);
  const { received } = fixture;
  wishForBuffers(fixture.words, BuffersWanted.COPIED_OUT);
  received.beginDrain();
  fixture.receive(0, 3);
  received.copyOut();
  t.is(fixture.held.size, 1, 'just come');
  received.beginDrain();
  received.copyOut();
  t.is(fixture.held.size, 0, 'old');
  const small = new Fixture(BUFFER_BYTES);
  wishForBuffers(small.words, BuffersWanted.COPIED_OUT);
  small.receive(0, 3);
  small.received.beginDrain();
  small.received.copyOut();
  t.is(small.held.size, 1, 'no block of that size may be had');
});

test('what is taken along to another thread keeps the bounds of its messages, also of one that was read in part', (t) => {
  const [from, to] = [new Fixture(), new Fixture()];
  const parts = [from.receive(0, 16, true), from.receive(0, 10), from.receive(0, 4), from.receive(0, 16, true)];
  const all = Buffer.concat(parts.map((part) => part as Uint8Array));
  const into = Buffer.alloc(64);
  t.is(from.received.read(from.readers[0] as Reader, into.subarray(0, 6), true), 6);
  const unread = from.received.takeOut(from.readers[0] as Reader);
  t.is(from.held.size, 0);
  to.copied[1] = unread?.lengths.length ?? 0;
  const reader = to.readers[1] as Reader;
  if (unread) to.received.adopt(reader, unread);
  const messages: [number, boolean][] = [];
  for (let at = 6; reader.firstChunk !== NO_CHUNK; ) {
    const count = to.received.read(reader, into, true);
    t.deepEqual(into.subarray(0, count), all.subarray(at, at + count));
    messages.push([count, to.received.lastReadGoesOn]);
    at += count;
  }
  t.deepEqual(messages, [
    [20, false],
    [4, false],
    [16, true],
  ]);
});
