import test from 'ava';
import { closeSendBuffer } from '../../src/atomics/send-word.js';
import { SendPool } from '../../src/client/buffers/send-pool.js';
import { SendQueue } from '../../src/client/buffers/send-queue.js';
import type { Client } from '../../src/client/link/client.js';
import { indexOf } from '../../src/protocol/buffer-name.js';
import { clientMemoryBytes, geometryFor, sendWordsBase } from '../../src/protocol/client-memory.js';

/** A stream's send queue whose I/O thread is this test: it takes a buffer, and gives it back, when told to. */
class Fixture {
  readonly queue: SendQueue;
  /** Names of buffers submitted and not given back. */
  readonly submitted: number[] = [];
  readonly #words: Int32Array;
  readonly #wordsBase: number;
  readonly #memory: SharedArrayBuffer;
  readonly #bufferSize: number;
  readonly #pool: SendPool;

  constructor({ bufferSize = 16, buffers = 8, high = 1000, low = 250 } = {}) {
    const geometry = geometryFor(1, 1, buffers);
    this.#words = new Int32Array(new SharedArrayBuffer(clientMemoryBytes(geometry)));
    this.#wordsBase = sendWordsBase(geometry);
    this.#memory = new SharedArrayBuffer(bufferSize * buffers);
    this.#bufferSize = bufferSize;
    this.#pool = new SendPool(this.#words, geometry, [
      { use: 'send', memory: this.#memory, bufferSize, bufferCount: buffers },
    ]);
    const client = {
      limits: { sendHighWaterBytes: high, sendLowWaterBytes: low },
      sendPool: this.#pool,
      submit: (_opcode: number, _slot: number, _generation: number, name: number) => this.submitted.push(name),
    };
    this.queue = new SendQueue(client as unknown as Client, { slot: 0, generation: 1 });
  }

  /** As the I/O thread does before it sends: nothing is appended any more. Returns the bytes. */
  take(at: number): string {
    const index = indexOf(this.submitted[at] as number);
    const length = closeSendBuffer(this.#words, this.#wordsBase + index);
    return Buffer.from(this.#memory, index * this.#bufferSize, length).toString();
  }

  /** The oldest comes back. */
  giveBack(): void {
    const name = this.submitted.shift() as number;
    this.queue.sent(name);
    this.#pool.release(name);
  }
}

const bytes = (text: string) => Buffer.from(text);

test('small writes share a buffer until it is full', (t) => {
  const fixture = new Fixture();
  for (const text of ['one ', 'two ', 'three ', 'four']) t.is(fixture.queue.write(bytes(text)), text.length);
  t.is(fixture.submitted.length, 2);
  t.is(fixture.take(0), 'one two three fo');
  t.is(fixture.take(1), 'ur');
});

test('nothing is appended to a buffer that is being sent', (t) => {
  const fixture = new Fixture();
  fixture.queue.write(bytes('before '));
  t.is(fixture.take(0), 'before ');
  fixture.queue.write(bytes('after '));
  fixture.queue.write(bytes('that'));
  t.is(fixture.submitted.length, 2);
  t.is(fixture.take(0), 'before ', 'its length is final');
  t.is(fixture.take(1), 'after that');
});

test('a large write takes as many buffers as it needs', (t) => {
  const fixture = new Fixture();
  t.is(fixture.queue.write(bytes('x'.repeat(40))), 40);
  t.deepEqual(
    [0, 1, 2].map((at) => fixture.take(at).length),
    [16, 16, 8],
  );
});

test('at the high-water mark nothing more is taken, not even into a buffer that has room, until the low-water mark', (t) => {
  const fixture = new Fixture({ high: 40, low: 16 });
  t.is(fixture.queue.write(bytes('x'.repeat(100))), 40);
  t.false(fixture.queue.hasRoom);
  t.is(fixture.queue.write(bytes('y')), 0);
  fixture.take(0);
  fixture.giveBack();
  t.false(fixture.queue.drained(), '24 are left');
  t.is(fixture.queue.write(bytes('y')), 0, 'and so it is still full');
  fixture.take(0);
  fixture.giveBack();
  t.true(fixture.queue.drained(), '8 are left');
  t.true(fixture.queue.hasRoom);
  t.is(fixture.queue.write(bytes('y'.repeat(100))), 32);
});

test('a stream with buffers in flight leaves the last ones to streams that have none', (t) => {
  const fixture = new Fixture({ buffers: 8 });
  t.is(fixture.queue.write(bytes('x'.repeat(1000))), 7 * 16);
  t.false(fixture.queue.hasRoom);
});

test('after all came back a write begins a new buffer', (t) => {
  const fixture = new Fixture();
  fixture.queue.write(bytes('first'));
  fixture.take(0);
  fixture.giveBack();
  fixture.queue.write(bytes('second'));
  t.is(fixture.submitted.length, 1);
  t.is(fixture.take(0), 'second');
});

test('a full queue knows how many buffers must come back before it has room', (t) => {
  const fixture = new Fixture({ buffers: 16, high: 100, low: 30 });
  t.is(fixture.queue.write(bytes('x'.repeat(200))), 100);
  t.false(fixture.queue.hasRoom);
  // Seven buffers of 16 bytes, the last with 4 in it.
  t.is(fixture.queue.buffersUntilRoom(), 5);
  for (let left = 4; left >= 0; left--) {
    t.false(fixture.queue.drained());
    fixture.giveBack();
    if (left > 0) t.is(fixture.queue.buffersUntilRoom(), left);
  }
  t.true(fixture.queue.drained());
});

test('a queue that lacks nothing but a free buffer waits for one', (t) => {
  const fixture = new Fixture({ buffers: 4, high: 1000, low: 250 });
  while (fixture.queue.write(bytes('x'.repeat(16))) > 0);
  t.is(fixture.queue.buffersUntilRoom(), 1);
});
