/** Names of Unix-domain sockets: paths, or on Linux abstract names, which begin with a zero byte. */
import { unlinkSync } from 'node:fs';
import { errnoOf, fail, systemError } from '../../errors.js';
import { type Descriptor, loadAddon } from '../../native.js';
import { UNIX_NAME_BYTES } from '../../protocol/datagram.js';

const ENOTSUP = errnoOf('ENOTSUP');
export const UNIX_STREAM = 1;
export const UNIX_DATAGRAM = 2;

/** @throws ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_UNSUPPORTED */
export function encodeUnixName(name: string): Uint8Array {
  const bytes = typeof name === 'string' ? Buffer.from(name) : undefined;
  const abstract = bytes?.[0] === 0;
  // A path is followed by a zero byte, and there is none in it.
  const most = abstract ? UNIX_NAME_BYTES : UNIX_NAME_BYTES - 1;
  if (!bytes || bytes.length < 1 || bytes.length > most || (!abstract && bytes.includes(0))) {
    const what = `A Unix socket's name is a path of 1 to ${UNIX_NAME_BYTES - 1} bytes`;
    throw fail('ERR_SIDEPORT_INVALID_ARG', `${what}, or a zero byte and an abstract name, not ${JSON.stringify(name)}`);
  }
  if (abstract && process.platform !== 'linux') {
    throw fail('ERR_SIDEPORT_UNSUPPORTED', 'Only Linux has abstract names of Unix sockets');
  }
  return bytes;
}

/** @throws ERR_SIDEPORT_UNSUPPORTED, the system's error */
export function openUnixSocket(type: number): Descriptor {
  const descriptor = loadAddon().socket.openUnix(type);
  if (typeof descriptor !== 'number') return descriptor;
  throw unixError('socket', descriptor);
}

/** @throws as {@link openUnixSocket} */
export function openUnixPair(type: number): [Descriptor, Descriptor] {
  const pair = loadAddon().socket.openUnixPair(type);
  if (typeof pair !== 'number') return pair;
  throw unixError('socketpair', pair);
}

/** Makes a socket of a descriptor by one more call; on failure nothing is left open. */
export function unixStep(descriptor: Descriptor, syscall: string, name: string, errno: number): void {
  if (errno >= 0) return;
  descriptor.close();
  throw systemError(syscall, errno, { address: printable(name), port: 0 });
}

/** The name of a socket, or of its peer; undefined for one without a name. @throws the system's error */
export function unixNameOf(fd: number, peer: boolean): string | undefined {
  const into = new Uint8Array(UNIX_NAME_BYTES);
  const length = loadAddon().socket.unixName(fd, peer, into);
  if (length < 0) throw systemError(peer ? 'getpeername' : 'getsockname', length);
  return length === 0 ? undefined : Buffer.from(into.subarray(0, length)).toString();
}

/** The file of a socket that was bound here and is closed, as net.Server removes it. */
export function removeUnixName(name: string | undefined): void {
  if (name === undefined || name.startsWith('\0')) return;
  try {
    unlinkSync(name);
  } catch {
    // Somebody else was faster, or the folder is gone: what is wanted.
  }
}

/** As tools print abstract names. */
export function printable(name: string): string {
  return name.startsWith('\0') ? `@${name.slice(1)}` : name;
}

function unixError(syscall: string, errno: number): Error {
  return errno === ENOTSUP
    ? fail('ERR_SIDEPORT_UNSUPPORTED', 'This system has no Unix-domain sockets')
    : systemError(syscall, errno);
}
