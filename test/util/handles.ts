/** Descriptors and handles that nobody owns, as those of other makers. */
import { execFileSync } from 'node:child_process';
import { constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Descriptor, loadAddon } from '../../src/native.js';
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

let names = 0;

/** A pipe, used one way: the ends of a FIFO without a name, or those of a named pipe. */
export function openPipe(): { reader: number; writer: number } {
  if (onWindows) {
    const name = `\\\\.\\pipe\\sideport-one-way-${process.pid}-${names++}`;
    return { reader: openPipeServer(name), writer: openHandle(name) };
  }
  const folder = mkdtempSync(join(tmpdir(), 'sideport-fifo-'));
  const ends = openFifo(join(folder, 'fifo'));
  rmSync(folder, { recursive: true });
  return ends;
}
