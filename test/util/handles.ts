/** Descriptors and handles that nobody owns, as those of other makers. */
import { execFileSync } from 'node:child_process';
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Descriptor, loadAddon } from '../../src/native.js';
import { SocketOption } from '../../src/protocol/socket-options.js';
import { errno } from './errno.js';
import { newName } from './pipes.js';
import { onWindows } from './system.js';

const { socket } = loadAddon();

/** The descriptor itself: nobody closes it but whoever takes it over. */
export function disowned(descriptor: Descriptor | number): number {
  if (typeof descriptor === 'number') throw new Error(`no descriptor: ${descriptor}`);
  const { fd } = descriptor;
  // Lent with a word that never says "mine": the object will not close it.
  descriptor.lend(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 2);
  return fd;
}

/** Both ends of a pipe of POSIX systems; a FIFO is made at `path`. */
export function openFifo(path: string): { reader: number; writer: number } {
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) };
}

/** An instance of a named pipe's server end. */
export function openPipeServer(name: string, messages = false): number {
  return disowned(socket.createPipe(name, messages, false, false, 1));
}

/** Its client's end; or of a file, opened for overlapped operations. */
export function openHandle(name: string, messages = false): number {
  return disowned(socket.openPipe(name, messages));
}

/** A pipe, used one way: the ends of a FIFO without a name, or those of a named pipe. */
export function openPipe(): { reader: number; writer: number } {
  if (onWindows) {
    const name = newName();
    return { reader: openPipeServer(name), writer: openHandle(name) };
  }
  const folder = mkdtempSync(join(tmpdir(), 'sideport-fifo-'));
  const ends = openFifo(join(folder, 'fifo'));
  rmSync(folder, { recursive: true });
  return ends;
}

const HANDLE_STEP = 4;
const HANDLES_MAX = 4 * 1024;
const LOOKS = 5;

/**
 * A file or a client's end of a pipe, opened as most programs do it, for calls that wait. Its HANDLE, which Node does not
 * tell, is the value that names something only since.
 *
 * Other threads of the process open and close handles of their own meanwhile, and the value may have been one of theirs just before. So it is
 * one that was free in some look before, and that names something in every look since.
 */
export function openSynchronous(path: string): { fd: number; handle: number } {
  const before = freeInSomeLook();
  const fd = openSync(path, 'r+');
  const since = freeInSomeLook();
  const [handle, ...others] = [...before].filter((value) => !since.has(value));
  if (handle === undefined || others.length > 0) throw new Error(`new handles: ${[handle, ...others]}`);
  return { fd, handle };
}

/** The values that named nothing in at least one of several looks. */
function freeInSomeLook(): Set<number> {
  const free = new Set<number>();
  for (let look = 0; look < LOOKS; look++) {
    for (let value = HANDLE_STEP; value < HANDLES_MAX; value += HANDLE_STEP)
      if (!namesSomething(value)) free.add(value);
  }
  return free;
}

function namesSomething(handle: number): boolean {
  return socket.getOption(handle, SocketOption.TYPE, new Int32Array(1)) !== -errno.EBADF;
}
