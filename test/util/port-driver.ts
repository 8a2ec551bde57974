/**
 * A completion port driven by hand, one turn at a time, and an auditor of what `native/completion_port.h` promises:
 * every turn, every completion is checked against what was started, provided and released before.
 */
import assert from 'node:assert/strict';
import { loadAddon, type NativePort } from '../../src/native.js';
import {
  Complete,
  CompletionFlag,
  PortOpcode,
  RECORD_WORDS,
  SEND_MORE_PIECES,
  SEND_SAME_DATAGRAM,
  Submit,
} from '../../src/protocol/port-records.js';
import { openDescriptors } from './descriptors.js';
import { errno } from './errno.js';

export const addon = loadAddon();

/** The backends to test: the one forced, else all that this system has. */
export const backends = ['io_uring', 'epoll', 'poll', 'iocp'].filter((name) => {
  if (process.env.SIDEPORT_BACKEND && process.env.SIDEPORT_BACKEND !== name) return false;
  try {
    return addon.openPort(name, 1, 1).close();
  } catch {
    return false;
  }
});

export interface Completion {
  readonly opcode: number;
  readonly endpoint: number;
  readonly result: number;
  readonly more: boolean;
  readonly rejected: boolean;
  readonly flags: number;
  readonly segment: number;
  readonly index: number;
  readonly address: Uint8Array;
}

/** segment, offset, length */
export type Piece = readonly [number, number, number];

export const BUFFER_SIZE = 1024;
/** A test that turns this long without the completion it waits for has failed. */
const PATIENCE_MS = 20_000;

export const ADDRESS_BYTES = 24;
const bufferKey = (segment: number, index: number) => `${segment}:${index}`;
const operationKey = (endpoint: number, opcode: number) => `${endpoint}:${opcode}`;

export class PortDriver {
  readonly native: NativePort;
  /** Every segment's memory, by its number. */
  readonly memory: Uint8Array[] = [];
  /** Buffers that the port has, with the group they were given to. */
  readonly provided = new Map<string, number>();
  /** Buffers of groups dropped, which completions not told yet may still name. */
  readonly #dropped = new Map<string, number>();
  readonly #capacity: number;
  /** Before it was opened. */
  readonly #descriptors = openDescriptors();
  readonly #receiveGroups = new Map<number, number>();
  /** By operation: the serial numbers of its starts that were neither released nor rejected yet. */
  readonly #claims = new Map<string, number[]>();
  #records: Int32Array[] = [];
  #serial = 0;
  #nextEndpoint = 0;
  /** Completions that nobody has asked for yet. */
  #seen: Completion[] = [];

  /** `undefined` is the best backend that there is. */
  constructor(backend: string | undefined, capacity = 64) {
    this.#capacity = capacity;
    this.native = addon.openPort(backend, 4096, capacity);
    if (backend !== undefined) assert.equal(this.native.backend, backend);
  }

  // -- memory --------------------------------------------------------------------------------------

  addSegment(bufferCount: number, bufferSize = BUFFER_SIZE): number {
    const memory = new Uint8Array(new SharedArrayBuffer(bufferCount * bufferSize));
    const segment = this.native.addSegment(memory, bufferSize);
    this.memory[segment] = memory;
    return segment;
  }

  /** A segment whose buffers all go to `group`. */
  provideSegment(group: number, bufferCount: number, bufferSize = BUFFER_SIZE): number {
    const segment = this.addSegment(bufferCount, bufferSize);
    for (let index = 0; index < bufferCount; index++) this.provide(group, segment, index);
    return segment;
  }

  dropGroup(group: number): void {
    this.native.dropGroup(group);
    for (const [key, owner] of this.provided) {
      if (owner !== group) continue;
      this.provided.delete(key);
      this.#dropped.set(key, group);
    }
  }

  bytesOf({ segment, index, result }: Completion, bufferSize = BUFFER_SIZE): Buffer {
    const { buffer, byteOffset } = this.memory[segment] as Uint8Array;
    return Buffer.from(Buffer.from(buffer, byteOffset + index * bufferSize, result));
  }

  // -- submissions ---------------------------------------------------------------------------------

  adopt(fd: number, endpoint = this.#nextEndpoint++): number {
    this.submit(PortOpcode.ADOPT, endpoint, [fd]);
    return endpoint;
  }

  provide(group: number, segment: number, index: number): void {
    this.submit(PortOpcode.PROVIDE, 0, [group, segment, index]);
    this.provided.set(bufferKey(segment, index), group);
  }

  cancel(endpoint: number, opcode: number): void {
    this.submit(PortOpcode.CANCEL, endpoint, [opcode]);
  }

  shutdown(endpoint: number, how: number): void {
    this.submit(PortOpcode.SHUTDOWN, endpoint, [how]);
  }

  accept(endpoint: number, limit: number): void {
    this.start(PortOpcode.ACCEPT, endpoint, [limit]);
  }

  connect(endpoint: number, address: Uint8Array): void {
    this.start(PortOpcode.CONNECT, endpoint, [], address);
  }

  receive(endpoint: number, group: number, limit: number): void {
    this.#receiveGroups.set(endpoint, group);
    this.start(PortOpcode.RECEIVE, endpoint, [group, limit]);
  }

  extend(endpoint: number, count: number): void {
    this.submit(PortOpcode.EXTEND, endpoint, [count]);
  }

  receiveFrom(endpoint: number, group: number, limit: number): void {
    this.#receiveGroups.set(endpoint, group);
    this.start(PortOpcode.RECEIVE_FROM, endpoint, [group, limit]);
  }

  /** Each datagram is a list of pieces; all go to `address`, or, without one, to the peer. */
  sendTo(endpoint: number, address: Uint8Array | undefined, ...datagrams: Piece[][]): void {
    const pieces = datagrams.flatMap((datagram) =>
      datagram.map((piece, at) => ({ piece, same: at + 1 < datagram.length ? SEND_SAME_DATAGRAM : 0 })),
    );
    pieces.forEach(({ piece, same }, at) => {
      const words = [...piece, same | (at + 1 < pieces.length ? SEND_MORE_PIECES : 0)];
      if (at === 0) this.start(PortOpcode.SEND_TO, endpoint, words, address);
      else this.submit(PortOpcode.SEND_TO, endpoint, words, address);
    });
  }

  send(endpoint: number, ...pieces: Piece[]): void {
    pieces.forEach(([segment, offset, length], at) => {
      const words = [segment, offset, length, at + 1 < pieces.length ? SEND_MORE_PIECES : 0];
      if (at === 0) this.start(PortOpcode.SEND, endpoint, words);
      else this.submit(PortOpcode.SEND, endpoint, words);
    });
  }

  close(endpoint: number, mode: number): void {
    this.start(PortOpcode.CLOSE, endpoint, [mode]);
  }

  /** An operation that the port may refuse; a refusal takes it back. */
  start(opcode: number, endpoint: number, words: readonly number[] = [], address?: Uint8Array): void {
    this.submit(opcode, endpoint, words, address);
    const key = operationKey(endpoint, opcode);
    this.#claims.set(key, [...(this.#claims.get(key) ?? []), this.#serial++]);
  }

  submit(opcode: number, endpoint: number, words: readonly number[] = [], address?: Uint8Array): void {
    const record = new Int32Array(RECORD_WORDS);
    record.set([opcode, endpoint, ...words]);
    if (address) new Uint8Array(record.buffer).set(address, Submit.ADDRESS * 4);
    this.#records.push(record);
  }

  // -- turning -------------------------------------------------------------------------------------

  turn(timeoutMs = 0): Completion[] {
    const records = this.#records;
    this.#records = [];
    records.forEach((record, at) => {
      this.native.submissions.set(record, at * RECORD_WORDS);
    });
    const count = this.native.turn(records.length, timeoutMs);
    assert.ok(count <= this.#capacity, `${count} completions in an array of ${this.#capacity}`);
    const completions = Array.from({ length: count }, (_, at) => this.#read(at));
    for (const completion of completions) this.#audit(completion);
    return completions;
  }

  /** The first completion, seen already or to come, of which `wanted` holds. All others stay to be asked for. */
  find(wanted: (completion: Completion) => boolean): Completion {
    const untilMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = this.#seen.findIndex(wanted);
      if (found >= 0) return this.#seen.splice(found, 1)[0] as Completion;
      if (performance.now() > untilMs) {
        throw new Error(`not completed; in flight: ${this.inFlight()}; seen: ${JSON.stringify(this.#seen)}`);
      }
      this.#seen.push(...this.turn(100));
    }
  }

  /** The next completion of an operation, whatever it says. */
  next(endpoint: number, opcode: number): Completion {
    return this.find((one) => one.endpoint === endpoint && one.opcode === opcode);
  }

  /** Completions of an operation up to its release, which is the last. */
  toRelease(endpoint: number, opcode: number): Completion[] {
    const completions: Completion[] = [];
    do completions.push(this.next(endpoint, opcode));
    while (completions.at(-1)?.more);
    return completions;
  }

  /** Turns without waiting until a turn brings nothing more; what came stays to be asked for. */
  settle(): void {
    for (let idle = 0; idle < 3; ) {
      const completions = this.turn(idle === 2 ? 10 : 0);
      idle = completions.length > 0 ? 0 : idle + 1;
      this.#seen.push(...completions);
    }
  }

  /** What was seen and nobody asked for. */
  takeSeen(): Completion[] {
    return this.#seen.splice(0);
  }

  /** The operations in flight, `endpoint:opcode`. */
  inFlight(): string[] {
    return [...this.#claims.keys()];
  }

  /** Closes the endpoint and drops what came before its release. */
  closeNow(endpoint: number, mode = 1): void {
    this.close(endpoint, mode);
    this.next(endpoint, PortOpcode.CLOSE);
    this.#seen = this.#seen.filter((one) => one.endpoint !== endpoint);
  }

  /** Ends the port; nothing may be left in flight afterwards, and nothing open, whatever was before. */
  end(): void {
    assert.ok(this.native.close(), 'the port gave everything back');
    assert.equal(this.native.started(), this.native.released());
    assert.equal(openDescriptors(), this.#descriptors, 'descriptors are left open');
  }

  #read(at: number): Completion {
    const words = this.native.completions;
    const base = at * RECORD_WORDS;
    const flags = words[base + Complete.FLAGS] as number;
    return {
      opcode: words[base + Complete.OPCODE] as number,
      endpoint: words[base + Complete.ENDPOINT] as number,
      result: words[base + Complete.RESULT] as number,
      more: (flags & CompletionFlag.MORE) !== 0,
      rejected: (flags & CompletionFlag.REJECTED) !== 0,
      flags,
      segment: words[base + Complete.SEGMENT] as number,
      index: words[base + Complete.INDEX] as number,
      address: new Uint8Array(words.buffer.slice(words.byteOffset + (base + Complete.ADDRESS) * 4)).slice(
        0,
        ADDRESS_BYTES,
      ),
    };
  }

  #audit(completion: Completion): void {
    const { opcode, endpoint, result, more, rejected, segment, index } = completion;
    const told = JSON.stringify({ opcode, endpoint, result, more, rejected, segment, index });
    if (opcode === PortOpcode.WAKE && !rejected) {
      assert.ok(endpoint === -1 && result > 0 && more, told);
      return;
    }
    const key = operationKey(endpoint, opcode);
    const claims = this.#claims.get(key) ?? [];
    assert.ok(claims.length > 0, `a completion of nothing in flight: ${told}`);
    if (rejected) {
      assert.ok(result < 0 && !more, told);
      const refused = result === -errno.EALREADY && claims.length > 1 && !this.#isClosing(endpoint, claims) ? 1 : 0;
      this.#claims.set(
        key,
        claims.filter((_, at) => at !== refused),
      );
    } else {
      this.#auditBuffer(completion, told);
      if (opcode === PortOpcode.CLOSE) this.#auditClose(endpoint, claims[0] as number);
      if (!more) this.#claims.set(key, claims.slice(1));
    }
    if (this.#claims.get(key)?.length === 0) this.#claims.delete(key);
  }

  /**
   * Whether the first of these starts found a close in flight, which refuses all that comes: the close was started before, and is not told
   * yet. Else a start is refused with EALREADY for being behind one of its own kind, and with any other error where none is in flight.
   */
  #isClosing(endpoint: number, [first = 0]: readonly number[]): boolean {
    const [close = first] = this.#claims.get(operationKey(endpoint, PortOpcode.CLOSE)) ?? [];
    return close < first;
  }

  /** What was started before the close is released before it. */
  #auditClose(endpoint: number, serial: number): void {
    for (const [key, claims] of this.#claims) {
      const early = key.startsWith(`${endpoint}:`) && claims.some((one) => one < serial);
      assert.ok(!early, `the close of ${endpoint} is released before ${key}`);
    }
  }

  #auditBuffer({ opcode, endpoint, result, segment, index }: Completion, told: string): void {
    const filled = (opcode === PortOpcode.RECEIVE && result > 0) || (opcode === PortOpcode.RECEIVE_FROM && result >= 0);
    if (!filled) {
      assert.ok(segment === -1 && index === -1, `names a buffer: ${told}`);
      return;
    }
    const key = bufferKey(segment, index);
    const group = this.provided.get(key) ?? this.#dropped.get(key);
    assert.equal(group, this.#receiveGroups.get(endpoint), `a buffer of the group: ${told}`);
    this.provided.delete(key);
    this.#dropped.delete(key);
  }
}
