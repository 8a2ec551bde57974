/** Sockets for a port that is driven by hand. */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import type { SocketCalls } from '../../src/native.js';
import { PortOpcode } from '../../src/protocol/port-records.js';
import { ADDRESS_BYTES, addon, type PortDriver } from './port-driver.js';
import { onWindows } from './system.js';

const socket: SocketCalls = addon.socket;

/** A descriptor that nobody closes but the port. */
export function openSocket(family = 4): number {
  const descriptor = socket.open(family);
  if (typeof descriptor === 'number') throw new Error(`socket: ${descriptor}`);
  const { fd } = descriptor;
  // Lent with a word that never says "mine": the object will not close it.
  descriptor.lend(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 2);
  return fd;
}

/** As {@link openSocket}, for datagrams, bound, by default to the loopback address. */
export function openDatagramSocket(family = 4, address = loopback(family)): number {
  const descriptor = socket.openDatagram(family);
  if (typeof descriptor === 'number') throw new Error(`socket: ${descriptor}`);
  const { fd } = descriptor;
  descriptor.lend(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 2);
  assert.equal(socket.bind(fd, address, false, false, true), 0);
  return fd;
}

/** Calls `body` with a descriptor that is no socket. Not on Windows: a file's number is one of the C library's there. */
export function withFileDescriptor(body: (fd: number) => void): void {
  if (onWindows) return;
  const fd = openSync('/dev/null', 'r');
  try {
    body(fd);
  } finally {
    closeSync(fd);
  }
}

export function loopback(family = 4): Uint8Array {
  const address = new Uint8Array(ADDRESS_BYTES);
  address[0] = family;
  if (family === 4) address.set([127, 0, 0, 1], 8);
  else address[23] = 1;
  return address;
}

/** A listening socket and its address. */
export function listeningSocket(family = 4, backlog = 511): { fd: number; address: Uint8Array } {
  const fd = openSocket(family);
  const address = loopback(family);
  assert.equal(socket.bind(fd, address, true, false, true), 0);
  assert.equal(socket.listen(fd, backlog), 0);
  assert.equal(socket.localAddress(fd, address), 0);
  return { fd, address };
}

export function localAddress(fd: number): Uint8Array {
  const address = new Uint8Array(ADDRESS_BYTES);
  assert.equal(socket.localAddress(fd, address), 0);
  return address;
}

export interface ConnectedPair {
  readonly client: number;
  readonly server: number;
}

/** A listener on the port, and connections to it. */
export class Listening {
  readonly endpoint: number;
  readonly address: Uint8Array;
  readonly #driver: PortDriver;

  constructor(driver: PortDriver, family = 4) {
    const { fd, address } = listeningSocket(family);
    this.#driver = driver;
    this.address = address;
    this.endpoint = driver.adopt(fd);
  }

  /** Both ends of a new connection, as endpoints of the port. `socket` is the connecting one. */
  pair(socket = openSocket(this.address[0])): ConnectedPair {
    const driver = this.#driver;
    driver.accept(this.endpoint, 1);
    const client = driver.adopt(socket);
    driver.connect(client, this.address);
    assert.equal(driver.next(client, PortOpcode.CONNECT).result, 0);
    const accepted = driver.next(this.endpoint, PortOpcode.ACCEPT);
    assert.ok(accepted.result >= 0, `accept: ${accepted.result}`);
    return { client, server: driver.adopt(accepted.result) };
  }
}
