/** Every way in which a process or a thread ends, with sources open: it ends, and leaves nothing behind. */
import test, { type ExecutionContext } from 'ava';
import { onWindows, unless } from '../util/platform.js';
import { Child, type Ended, said } from './child.js';
import type { EndScenario, How } from './fixtures/end.js';
import { bindSoon, knock } from './peer.js';

const EXIT_CODE = 7;
const PLACES = ['main', 'worker', 'starter'] as const;

const KNOWN = [/SideportWarning: sideport's I\/O thread was started by a worker/, /Use `node --trace-warnings/, /^$/];

/** Nothing unexpected on standard error: no leak reported, no assertion of Node's. And the listener's port is free. */
async function quiet(t: ExecutionContext, end: Ended): Promise<void> {
  t.deepEqual(
    end.stderr.split('\n').filter((line) => !KNOWN.some((pattern) => pattern.test(line))),
    [],
  );
  await portIsFree(t, end);
}

async function portIsFree(t: ExecutionContext, end: Ended): Promise<void> {
  const [port] = said(end, 'port') as [number];
  // The kernel takes an io_uring of a killed process apart on a thread of its own, after the process has ended.
  await t.notThrowsAsync(bindSoon(port));
}

async function ended(scenario: EndScenario): Promise<Ended> {
  return new Child('end', scenario).ended;
}

for (const where of PLACES) {
  test.serial(`natural end: open sources and Polls do not keep the process alive (${where})`, async (t) => {
    const child = await ended({ where, how: 'natural' });
    t.is(child.code, 0);
    t.is(said(child, 'ready').length, 1);
    t.deepEqual(said(child, 'worker-exit'), where === 'main' ? [] : [0]);
    await quiet(t, child);
  });

  test.serial(`natural end: a pending wait keeps the thread alive until it is settled (${where})`, async (t) => {
    const child = new Child('end', { where, how: 'wait' });
    const socket = knock((await child.until('ready')) as number);
    await child.until('waited');
    const end = await child.ended;
    socket.destroy();
    t.is(end.code, 0);
    const order = end.said.map(({ kind }) => kind).filter((kind) => kind !== 'worker-exit' && kind !== 'port');
    t.deepEqual(order, ['ready', 'waited', 'idle'], 'the event loop never ran empty while the wait was pending');
    await quiet(t, end);
  });

  test.serial(`process.exit() (${where})`, async (t) => {
    const child = await ended({ where, how: 'exit' });
    t.is(child.code, where === 'main' ? EXIT_CODE : 0);
    t.deepEqual(said(child, 'worker-exit'), where === 'main' ? [] : [EXIT_CODE]);
    await quiet(t, child);
  });

  for (const how of ['throw', 'reject'] as const) {
    test.serial(`uncaught: ${how} (${where})`, async (t) => {
      const child = await ended({ where, how });
      t.is(child.code, where === 'main' ? 1 : 0);
      if (where === 'main') t.regex(child.stderr, /Error: on purpose/);
      t.deepEqual(said(child, 'worker-error'), where === 'main' ? [] : ['on purpose']);
      t.deepEqual(said(child, 'worker-exit'), where === 'main' ? [] : [1]);
      await portIsFree(t, child);
    });
  }
}

const SIGNALS = [
  ['poll-for-ever', ['SIGTERM', 'SIGKILL']],
  ['wait-for-ever', ['SIGTERM', 'SIGINT']],
] as const satisfies [How, NodeJS.Signals[]][];

for (const where of PLACES) {
  for (const [how, signals] of SIGNALS) {
    for (const signal of signals) {
      test.serial(`${signal} by default ends the process: ${how} (${where})`, async (t) => {
        const child = new Child('end', { where, how });
        await child.until('ready');
        child.kill(signal);
        const end = await child.ended;
        t.is(end.signal, signal);
        await quiet(t, end);
      });
    }
  }

  unless(onWindows, 'Windows has no signals between processes: kill() ends the other one unasked')(
    `a SIGTERM handler that calls process.exit() ends the process (${where})`,
    async (t) => {
      const child = new Child('end', { where, how: 'exit-on-SIGTERM' });
      await child.until('ready');
      child.kill('SIGTERM');
      const end = await child.ended;
      t.is(end.signal, null);
      t.is(end.code, EXIT_CODE);
      await quiet(t, end);
    },
  );
}

test.serial('the process ends with many I/O threads running', async (t) => {
  const end = await new Child('many').ended;
  t.is(end.code, 0);
  t.is(end.stderr, '');
  t.deepEqual(said(end, 'started'), [12]);
});
