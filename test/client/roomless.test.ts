import test from 'ava';
import { wantsRoom } from '../../src/atomics/flag.js';
import { Roomless, type Writer } from '../../src/client/link/roomless.js';
import { Header } from '../../src/protocol/client-memory.js';

/** The sources of one client that wait for room; the test completes sends as the I/O thread does. */
class Fixture {
  readonly words = new Int32Array(new SharedArrayBuffer(4 * Header.WORDS));
  looks = 0;
  readonly roomless = new Roomless(this.words, () => this.looks++);
  #completed: number;

  /** `completed`: sends before the test, all taken note of. */
  constructor(completed = 0) {
    this.#completed = completed;
    for (let count = 0; count < completed; count++) this.roomless.sent();
  }

  /** One more send completes; whether it is worth ringing for. */
  complete(): boolean {
    return wantsRoom(this.words, ++this.#completed);
  }

  /** The client takes note of so many. */
  drain(count: number): void {
    for (; count > 0; count--) this.roomless.sent();
    this.roomless.askAgain();
  }
}

/** Has room once `buffers` of its buffers have come back. */
const writer = (buffers: number): Writer & { buffers: number } => ({
  buffers,
  retry() {
    return this.buffers === 0;
  },
  buffersUntilRoom() {
    return this.buffers;
  },
});

test('completed sends ring for nobody while nobody waits', (t) => {
  const fixture = new Fixture();
  t.false(fixture.complete());
});

test('a source that needs several buffers back is rung for when they are, and not before', (t) => {
  const fixture = new Fixture(3);
  fixture.roomless.add(writer(3));
  t.deepEqual([fixture.complete(), fixture.complete(), fixture.complete()], [false, false, true]);
});

test('a bell that one publication of several sends should have rung is rung by that publication', (t) => {
  const fixture = new Fixture();
  fixture.roomless.add(writer(1));
  t.true(wantsRoom(fixture.words, 5));
});

test('whoever needs fewer is not kept waiting by whoever needs more, in whatever order they come', (t) => {
  for (const needs of [
    [5, 2],
    [2, 5],
  ]) {
    const fixture = new Fixture();
    for (const buffers of needs) fixture.roomless.add(writer(buffers));
    t.deepEqual([fixture.complete(), fixture.complete()], [false, true]);
  }
});

test('a wish is followed by a look, for sends that completed before it', (t) => {
  const fixture = new Fixture();
  fixture.roomless.add(writer(5));
  t.is(fixture.looks, 1);
  fixture.roomless.add(writer(2));
  t.is(fixture.looks, 2);
  fixture.roomless.add(writer(9));
  t.is(fixture.looks, 2, 'the bell rings before then anyway');
});

test('whoever goes on waiting is rung for again, and once nobody waits nothing rings', (t) => {
  const fixture = new Fixture();
  const [one, other] = [writer(1), writer(3)];
  fixture.roomless.add(one);
  fixture.roomless.add(other);
  t.true(fixture.complete());
  one.buffers = 0;
  fixture.drain(1);
  t.deepEqual([fixture.complete(), fixture.complete(), fixture.complete()], [false, false, true]);
  other.buffers = 0;
  fixture.drain(3);
  t.false(fixture.complete());
});

test('a source that room comes to by other ways is rung for at everything', (t) => {
  const fixture = new Fixture(7);
  fixture.roomless.add(writer(0));
  t.true(wantsRoom(fixture.words, 7));
});

test('the counts may pass every power of two', (t) => {
  const words = new Int32Array(new SharedArrayBuffer(4 * Header.WORDS));
  const roomless = new Roomless(words, () => {});
  roomless.sent();
  roomless.add(writer(2));
  const wished = words[Header.ROOM_WANTED] as number;
  t.is(wished & 1, 1, 'a wish is never 0');
  for (const cycle of [0, 2 ** 31]) {
    t.false(wantsRoom(words, (cycle + 2) | 0));
    t.true(wantsRoom(words, (cycle + 3) | 0));
  }
});
