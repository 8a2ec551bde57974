/** Addresses as users give and get them. */
import { fail, systemError } from '../../errors.js';
import type { SocketCalls } from '../../native.js';
import {
  ADDRESS_BYTES,
  decodeAddress,
  encodeAddress,
  isIpAddress,
  type SocketAddress,
} from '../../protocol/address.js';
import { checkInteger } from '../check-integer.js';

/** Where to bind or connect: an IP address (names are not looked up) and a port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** @throws ERR_SIDEPORT_INVALID_ADDRESS, ERR_SIDEPORT_INVALID_ARG */
export function checkEndpoint(endpoint: Endpoint): void {
  const { host, port } = (endpoint ?? {}) as Partial<Endpoint>;
  if (typeof host !== 'string' || !isIpAddress(host)) {
    throw fail('ERR_SIDEPORT_INVALID_ADDRESS', `The host must be an IP address, not ${JSON.stringify(host)}`);
  }
  checkInteger('A port', port, 0, 65_535);
}

export function wireAddress({ host, port }: Endpoint): Uint8Array {
  return encodeAddress(host, port);
}

export function familyOf(wire: Uint8Array): number {
  return wire[0] as number;
}

/** Asks the kernel for one of a socket's addresses. @throws the system's error */
export function askAddress(socket: SocketCalls, which: 'localAddress' | 'peerAddress', fd: number): SocketAddress {
  const into = new Uint8Array(ADDRESS_BYTES);
  const errno = socket[which](fd, into);
  if (errno < 0) throw systemError(which === 'localAddress' ? 'getsockname' : 'getpeername', errno);
  return decodeAddress(into) as SocketAddress;
}
