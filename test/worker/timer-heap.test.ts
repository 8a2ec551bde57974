import test from 'ava';
import { type Timed, TimerHeap } from '../../src/worker/loop/timer-heap.js';
import { Random } from '../util/random.js';

test('the earliest comes first, whatever was added and taken out before', (t) => {
  const random = new Random(7);
  const heap = new TimerHeap<Timed>();
  const members = new Set<Timed>();
  for (let step = 0; step < 5000; step++) {
    if (members.size === 0 || random.integer(0, 2) > 0) {
      const item = { dueMs: random.integer(0, 500), heapIndex: -1 };
      heap.add(item);
      members.add(item);
    } else if (random.integer(0, 1) === 0) {
      const first = heap.first as Timed;
      heap.remove(first);
      members.delete(first);
    } else {
      const item = [...members][random.integer(0, members.size - 1)] as Timed;
      heap.remove(item);
      heap.remove(item);
      members.delete(item);
    }
    const least = Math.min(...[...members].map(({ dueMs }) => dueMs));
    if (members.size === 0) t.true(heap.isEmpty);
    else t.is(heap.first?.dueMs, least);
  }
});
