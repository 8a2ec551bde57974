/** When the I/O thread looks again instead of sleeping, by a clock that the test sets. */
import test from 'ava';
import { Spin } from '../../src/worker/loop/spin.js';

const SPIN_US = 50;

test('a thread with nothing to do looks again for as long as it is told to, and then sleeps', (t) => {
  const clock = Float64Array.of(1000);
  const spin = new Spin(SPIN_US, clock);
  t.true(spin.lookAgain(1));
  clock[0] = 1000.049;
  t.true(spin.lookAgain(1));
  clock[0] = 1000.05;
  t.false(spin.lookAgain(1));
});

test('each look in vain makes the next less likely, until only some are tried', (t) => {
  const clock = Float64Array.of(0);
  const spin = new Spin(SPIN_US, clock);
  const tries = Array.from({ length: 100 }, () => {
    const tried = spin.lookAgain(1);
    if (tried) {
      clock[0] = (clock[0] as number) + 1;
      spin.lookAgain(1);
    }
    return tried;
  });
  t.deepEqual(
    tries.flatMap((tried, at) => (tried ? [at] : [])),
    [0, 1, 33, 65, 97],
  );
});

test('nothing is looked for after a turn with many completions, nor when it is told not to', (t) => {
  t.false(new Spin(SPIN_US, Float64Array.of(0)).lookAgain(3));
  t.false(new Spin(0, Float64Array.of(0)).lookAgain(1));
});
