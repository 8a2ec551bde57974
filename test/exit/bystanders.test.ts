/** Others in and around the process: a spawned child, and Node's own diagnostics. */
import test from 'ava';
import { underWine, unless } from '../util/platform.js';
import { Child, said } from './child.js';
import { Peer } from './peer.js';

test.serial('a spawned child keeps neither a port nor a connection open', async (t) => {
  const peer = await Peer.listen(t);
  const child = new Child('spawn', { peerPort: peer.port });
  // The peer sees the end while the spawned child still lives.
  t.is((await peer.receive()).how, 'end');
  await child.until('closed');
  const end = await child.ended;
  t.is(end.code, 0, end.stderr);
  t.is(end.stderr, '');
});

test.serial("heap snapshots and a worker's exit do not hang", async (t) => {
  const end = await new Child('diagnostics', { report: false }).ended;
  t.is(end.code, 0, end.stderr);
  for (const kind of ['snapshots', 'exited']) t.is(said(end, kind).length, 1);
});

const reporting = unless(
  underWine,
  'threads that report use DbgHelp at once, in which Wine crashes, with or without sideport',
);
reporting('diagnostic reports do not hang', async (t) => {
  const end = await new Child('diagnostics', { report: true }).ended;
  t.is(end.code, 0, end.stderr);
  t.is(said(end, 'report').length, 1);
});
