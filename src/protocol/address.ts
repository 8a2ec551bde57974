/**
 * The 24-byte wire address (see `WireAddress` in `native/completion_port.h`) and what users see of it.
 *
 * ```
 *  0 family (4, 6, 0 = none) | 1 zero | 2-3 port, big-endian | 4-7 scope id, native order | 8-23 address
 * ```
 */
import { isIPv4, isIPv6 } from 'node:net';
import { LITTLE_ENDIAN } from './endian.js';

export const ADDRESS_BYTES = 24;
export const ADDRESS_WORDS = ADDRESS_BYTES / 4;

/** An address in the shape of `server.address()`. */
export interface SocketAddress {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
}

/** `host` must be an IP address (an IPv6 one may have a numeric `%scope`), `port` 0 to 65535; the caller checked both. */
export function encodeAddress(host: string, port: number): Uint8Array {
  const bytes = new Uint8Array(ADDRESS_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(2, port);
  if (isIPv4(host)) {
    bytes[0] = 4;
    bytes.set(host.split('.').map(Number), 8);
    return bytes;
  }
  const [bare = '', scope] = host.split('%');
  bytes[0] = 6;
  view.setUint32(4, Number(scope ?? 0), LITTLE_ENDIAN);
  ipv6Groups(bare).forEach((group, at) => {
    view.setUint16(8 + 2 * at, group);
  });
  return bytes;
}

/** The wire address at `bytes[at]`; undefined for one that is none (family 0). Reads bytes one by one, so it makes nothing but the result. */
export function decodeAddress(bytes: Uint8Array, at = 0): SocketAddress | undefined {
  const family = bytes[at];
  const port = uint16(bytes, at + 2);
  const from = at + 8;
  if (family === 4) {
    const address = `${bytes[from]}.${bytes[from + 1]}.${bytes[from + 2]}.${bytes[from + 3]}`;
    return { address, family: 'IPv4', port };
  }
  if (family !== 6) return undefined;
  const groups = Array.from({ length: 8 }, (_, group) => uint16(bytes, from + 2 * group));
  const scope = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(4, LITTLE_ENDIAN);
  return { address: ipv6Text(groups) + (scope ? `%${scope}` : ''), family: 'IPv6', port };
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Whether `host` is an address that {@link encodeAddress} takes. */
export function isIpAddress(host: string): boolean {
  return isIPv4(host) || (isIPv6(host) && /^[^%]*(%\d{1,9})?$/.test(host));
}

/** The eight groups of a valid IPv6 address, `::` and a dotted tail expanded. */
function ipv6Groups(text: string): number[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted) {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.slice(1).map(Number);
    text = `${text.slice(0, dotted.index)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head = '', tail] = text.split('::');
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const left = parse(head);
  if (tail === undefined) return left;
  const right = parse(tail);
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/** RFC 5952: lower case, the longest run of two or more zero groups as `::`, the leftmost of equals. */
function ipv6Text(groups: readonly number[]): string {
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6);
    return `::ffff:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  }
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (groups[at + length] === 0 && at + length < 8) length++;
    if (length > best.length) best = { at, length };
    at += length;
  }
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (best.at < 0) return hex(groups);
  return `${hex(groups.slice(0, best.at))}::${hex(groups.slice(best.at + best.length))}`;
}
