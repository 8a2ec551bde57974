import test from 'ava';
import { RingConsumer, RingProducer } from '../../src/atomics/ring.js';
import type { RingProducerData } from '../fixtures/ring-producer.js';
import { EchoRing } from '../util/echo-ring.js';
import { TestThread } from '../util/thread.js';

const [TAIL, HEAD, BASE] = [0, 16, 32];

function ring(capacity: number, entryWords: number, start = 0) {
  const words = new Int32Array(new SharedArrayBuffer(4 * (BASE + capacity * entryWords)));
  words[TAIL] = start;
  words[HEAD] = start;
  return {
    words,
    producer: new RingProducer(words, TAIL, HEAD, BASE, entryWords, capacity),
    consumer: new RingConsumer(words, TAIL, HEAD, BASE, entryWords, capacity),
  };
}

test('entries are invisible until they are published, then come in order', (t) => {
  const { words, producer, consumer } = ring(8, 1);
  for (let value = 0; value < 3; value++) {
    words[producer.reserve()] = value;
    producer.advance();
  }
  t.is(consumer.available(), 0);
  t.true(producer.publish());
  t.false(producer.publish());
  t.is(consumer.available(), 3);
  t.deepEqual(
    [0, 1, 2].map((offset) => words[consumer.at(offset)]),
    [0, 1, 2],
  );
  consumer.release(3);
  t.false(consumer.hasEntries());
});

// Indices count for ever: the whole life of a ring, and its passage through the end of int32, in a few entries.
for (const start of [0, 2 ** 31 - 3, -3]) {
  test(`a full ring refuses until an entry is released (indices from ${start})`, (t) => {
    const { producer, consumer } = ring(4, 2, start);
    for (let entry = 0; entry < 4; entry++) {
      t.true(producer.reserve() >= BASE);
      producer.advance();
    }
    t.is(producer.reserve(), -1);
    producer.publish();
    t.is(consumer.available(), 4);
    consumer.release(1);
    t.true(producer.reserve() >= BASE);
    producer.advance();
    t.is(producer.reserve(), -1);
    producer.publish();
    t.is(consumer.available(), 4);
  });
}

test('a tail that no honest producer writes is noticed, and every place is within the ring', (t) => {
  const { words, consumer } = ring(8, 4);
  for (const tail of [9, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    words[TAIL] = tail;
    t.is(consumer.available(), -1);
  }
  for (let offset = 0; offset < 100; offset++) {
    const at = consumer.at(offset);
    t.true(at >= BASE && at + 4 <= words.length);
  }
});

test('a million entries cross threads complete, in order and untorn', async (t) => {
  const echo = new EchoRing(64);
  const data: RingProducerData = { memory: echo.memory, capacity: 64, count: 1_000_000 };
  const thread = new TestThread('ring-producer', data);
  const { words, consumer } = echo;
  let next = 0;
  while (next < data.count) {
    const count = consumer.available();
    if (count < 0) return t.fail('a tail out of range');
    for (let offset = 0; offset < count; offset++, next++) {
      const at = consumer.at(offset);
      for (let word = 0; word < EchoRing.WORDS; word++) {
        if (words[at + word] !== EchoRing.word(next, word))
          return t.fail(`entry ${next}, word ${word}: ${words[at + word]}`);
      }
    }
    consumer.release(count);
  }
  await thread.finish();
  t.is(next, data.count);
});
