/** Multicast on a UDP socket: groups, and how datagrams to groups are sent. */
import { isIPv4 } from 'node:net';
import { fail, systemError } from '../../errors.js';
import { loadAddon } from '../../native.js';
import { encodeAddress, isIpAddress } from '../../protocol/address.js';
import { SocketOption } from '../../protocol/socket-options.js';
import { checkInteger } from '../check-integer.js';
import { readOption, writeOption } from './socket-options.js';

/** A multicast group. */
export interface Membership {
  /** The group's address: `'239.1.2.3'`, `'ff02::1'`. */
  readonly group: string;
  /**
   * The interface: for IPv4 one of its addresses, for IPv6 its index (`os.networkInterfaces()` gives both; `scopeid` is the index). Default: the
   * system's choice.
   */
  readonly interface?: string | number;
  /** Only what this address sends (source-specific multicast). Default: whoever sends. */
  readonly source?: string;
}

/** Of one UDP socket; `udp.multicast`. Every method may throw the system's error, and ERR_SIDEPORT_CLOSED. */
export class Multicast {
  readonly #fd: () => number;
  readonly #isV6: boolean;

  /** @internal */
  constructor(fd: () => number, isV6: boolean) {
    this.#fd = fd;
    this.#isV6 = isV6;
  }

  /**
   * Joins a group: from now on the socket receives what is sent to it.
   *
   * @throws EADDRINUSE when it has joined before, ENODEV for an interface that is not there, ERR_SIDEPORT_INVALID_ADDRESS
   */
  join(membership: Membership): void {
    this.#change(true, membership);
  }

  /** Leaves a group; say the same as to {@link join}. @throws EADDRNOTAVAIL when it has not joined */
  leave(membership: Membership): void {
    this.#change(false, membership);
  }

  /** The interface through which datagrams to groups are sent; as in {@link Membership}. */
  setInterface(interfaceName: string | number): void {
    const errno = loadAddon().socket.setMulticastInterface(this.#fd(), this.#via(interfaceName));
    if (errno < 0) throw systemError('setsockopt', errno);
  }

  /** Whether this host's members of a group receive what this socket sends to it. The system's default: true. */
  setLoop(on: boolean): void {
    writeOption(this.#fd(), this.#isV6 ? SocketOption.MULTICAST_LOOP_V6 : SocketOption.MULTICAST_LOOP_V4, on ? 1 : 0);
  }

  getLoop(): boolean {
    return readOption(this.#fd(), this.#isV6 ? SocketOption.MULTICAST_LOOP_V6 : SocketOption.MULTICAST_LOOP_V4) !== 0;
  }

  /** How many routers datagrams to groups may pass: 0 stays on this host, 1, the default, on this network; to 255. */
  setTtl(ttl: number): void {
    checkInteger('A multicast TTL', ttl, 0, 255);
    writeOption(this.#fd(), this.#isV6 ? SocketOption.MULTICAST_HOPS_V6 : SocketOption.MULTICAST_TTL_V4, ttl);
  }

  getTtl(): number {
    return readOption(this.#fd(), this.#isV6 ? SocketOption.MULTICAST_HOPS_V6 : SocketOption.MULTICAST_TTL_V4);
  }

  #change(join: boolean, { group, interface: via, source }: Membership): void {
    const wires = [this.#address('group', group), this.#via(via)] as const;
    const from = source === undefined ? undefined : this.#address('source', source);
    const errno = loadAddon().socket.changeMembership(this.#fd(), join, ...wires, from);
    if (errno < 0) throw systemError(join ? 'addMembership' : 'dropMembership', errno);
  }

  #address(what: string, host: string): Uint8Array {
    if (typeof host !== 'string' || !isIpAddress(host) || isIPv4(host) === this.#isV6) {
      const family = this.#isV6 ? 'IPv6' : 'IPv4';
      throw fail(
        'ERR_SIDEPORT_INVALID_ADDRESS',
        `The ${what} must be an ${family} address, not ${JSON.stringify(host)}`,
      );
    }
    return encodeAddress(host, 0);
  }

  #via(via: string | number | undefined): Uint8Array {
    if (!this.#isV6) return this.#address('interface', (via ?? '0.0.0.0') as string);
    checkInteger("An IPv6 interface's index", (via ?? 0) as number, 0, 2 ** 31 - 1);
    return encodeAddress(`::%${via ?? 0}`, 0);
  }
}
