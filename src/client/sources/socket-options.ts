/** Socket options, and the results of synchronous socket calls. */
import { systemError } from '../../errors.js';
import { loadAddon } from '../../native.js';
import { SocketOption } from '../../protocol/socket-options.js';
import { checkInteger } from '../check-integer.js';

/** Passes a result on, or throws the error that a negative one stands for. */
export function setOption(syscall: 'setsockopt' | 'getsockopt', result: number): number {
  if (result < 0) throw systemError(syscall, result);
  return result;
}

const into = new Int32Array(1);

/** @throws the system's error */
export function writeOption(fd: number, option: number, value: number): void {
  setOption('setsockopt', loadAddon().socket.setOption(fd, option, value));
}

/** @throws the system's error */
export function readOption(fd: number, option: number): number {
  setOption('getsockopt', loadAddon().socket.getOption(fd, option, into));
  return into[0] as number;
}

export const BUFFER_SIZE_MAX = 2 ** 31 - 1;

/** SO_RCVBUF and SO_SNDBUF, in bytes. */
export function writeBufferSize(fd: number, which: 'RECEIVE_BUFFER_SIZE' | 'SEND_BUFFER_SIZE', bytes: number): void {
  checkInteger('A buffer size in bytes', bytes, 1, BUFFER_SIZE_MAX);
  writeOption(fd, SocketOption[which], bytes);
}
