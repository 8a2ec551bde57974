import test from 'ava';
import { newSignal, raiseSignal, signalCount, takeSignal } from '../../src/atomics/signal.js';
import { Header } from '../../src/protocol/client-memory.js';

test('signals coalesce until they are taken', (t) => {
  const [words, signal] = [new Int32Array(new SharedArrayBuffer(4 * Header.WORDS)), newSignal()];
  t.false(takeSignal(signal));
  raiseSignal(signal, words);
  raiseSignal(signal, words);
  t.true(takeSignal(signal));
  t.false(takeSignal(signal));
});

test('a signal counts although another thread has raised it and not counted it yet', (t) => {
  const [words, signal] = [new Int32Array(new SharedArrayBuffer(4 * Header.WORDS)), newSignal()];
  Atomics.store(signal, 0, 1);
  const seen = signalCount(words);
  raiseSignal(signal, words);
  t.not(signalCount(words), seen);
});
