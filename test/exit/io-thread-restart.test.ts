/** In a file of its own, because it takes longest: files run in parallel. */
import test from 'ava';
import { Child } from './child.js';

test('starting and closing many I/O threads leaks no descriptor, no thread, no memory', async (t) => {
  // 14 s of processor time, most of it Node's start of 210 workers; on a machine that does much else, a minute.
  t.timeout(150_000);
  const end = await new Child('restart', {}, { watchdogMs: 120_000 }).ended;
  t.is(end.code, 0, end.stderr);
  t.is(end.stderr, '');
});
