/** Descriptors of sockets that were opened elsewhere. */
import { fail, systemError } from '../../errors.js';
import { type Descriptor, loadAddon } from '../../native.js';
import { SocketOption } from '../../protocol/socket-options.js';
import { checkInteger } from '../check-integer.js';
import { readOption } from './socket-options.js';

/** What a socket must be to be adopted: one of these families (4, 6, 1 for Unix), of this type (1 stream, 2 datagram). */
export interface Expected {
  readonly families: readonly number[];
  readonly type: number;
  readonly listening?: boolean;
}

/**
 * Looks before it takes: what is refused, also by `look`, which throws, stays as it was, and the caller's.
 *
 * @throws ERR_SIDEPORT_INVALID_ARG when it is another kind of socket; the system's error (EBADF, ENOTSOCK)
 */
export function adoptSocket(
  fd: number,
  what: string,
  { families, type, listening }: Expected,
  look: () => unknown = () => {},
): Descriptor {
  checkInteger('A descriptor', fd, 0, 2 ** 31 - 1);
  const fits =
    readOption(fd, SocketOption.TYPE) === type &&
    families.includes(familyOf(fd)) &&
    (listening === undefined || readOption(fd, SocketOption.IS_LISTENING) === (listening ? 1 : 0));
  if (!fits) throw fail('ERR_SIDEPORT_INVALID_ARG', `Descriptor ${fd} is not ${what}`);
  look();
  const descriptor = loadAddon().socket.adopt(fd);
  if (typeof descriptor === 'number') throw systemError('adopt', descriptor);
  return descriptor;
}

/** 0 for a family that nobody here knows. */
function familyOf(fd: number): number {
  const into = new Int32Array(1);
  return loadAddon().socket.getOption(fd, SocketOption.FAMILY, into) < 0 ? 0 : (into[0] as number);
}
