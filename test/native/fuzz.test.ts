/** Random submissions, sensible and senseless, over every backend; what comes back is audited by the driver. */
import test from 'ava';
import { PortOpcode, WakeReason } from '../../src/protocol/port-records.js';
import { addon, backends, type Completion, type Piece, PortDriver } from '../util/port-driver.js';
import { listeningSocket, openSocket } from '../util/port-sockets.js';
import { Random, scaled } from '../util/random.js';

const ENDPOINTS = 24;
const GROUPS = 3;
const BUFFERS = 12;
const BUFFER_SIZE = 512;
const OPERATIONS = [PortOpcode.ACCEPT, PortOpcode.CONNECT, PortOpcode.RECEIVE, PortOpcode.SEND, PortOpcode.CLOSE];

class Fuzz {
  readonly #random: Random;
  readonly #driver: PortDriver;
  readonly #addresses: Uint8Array[] = [];
  readonly #segments: number[] = [];
  readonly #out: number;
  /** Numbers that no endpoint has, and descriptors accepted and not adopted. */
  readonly #free = new Set(Array.from({ length: ENDPOINTS }, (_, number) => number));
  readonly #accepted: number[] = [];
  readonly seen = new Map<number, number>();

  constructor(random: Random, driver: PortDriver) {
    this.#random = random;
    this.#driver = driver;
    for (let group = 0; group < GROUPS; group++) {
      this.#segments.push(driver.provideSegment(group, BUFFERS, BUFFER_SIZE));
    }
    this.#out = driver.addSegment(16, 65_536);
  }

  round(): void {
    for (let count = this.#random.logUniform(1, 40); count > 0; count--) this.#submitOne();
    for (const completion of this.#driver.turn(this.#random.integer(0, 1))) this.#heed(completion);
  }

  #submitOne(): void {
    const random = this.#random;
    const driver = this.#driver;
    const endpoint = random.integer(-1, ENDPOINTS);
    switch (random.integer(0, 16)) {
      case 0:
        return this.#adopt(() => this.#accepted.pop() ?? openSocket());
      case 1:
        return this.#adopt(() => this.#accepted.pop() ?? this.#listener());
      case 2:
        return driver.accept(endpoint, random.integer(0, 6));
      case 3:
      case 4:
        return driver.connect(endpoint, random.integer(0, 9) === 0 ? random.bytes(24) : this.#address());
      case 5:
      case 6:
      case 7:
        return driver.receive(endpoint, Math.max(0, endpoint) % GROUPS, random.logUniform(1, 20));
      case 8:
      case 9:
        return driver.send(endpoint, ...Array.from({ length: random.logUniform(1, 18) }, () => this.#piece()));
      case 10:
        return driver.cancel(endpoint, random.integer(15, 22));
      case 11:
        return driver.shutdown(endpoint, random.integer(-1, 3));
      case 12:
        return driver.close(endpoint, random.integer(0, 2));
      case 13:
        return this.#provideAll();
      case 14:
        return this.#rarely();
      case 15:
        return driver.extend(endpoint, random.integer(-1, 8));
      default:
        return this.#nonsense(endpoint);
    }
  }

  #adopt(descriptor: () => number): void {
    const [number] = this.#free;
    if (number === undefined) return;
    this.#free.delete(number);
    this.#driver.adopt(descriptor(), number);
  }

  #listener(): number {
    const { fd, address } = listeningSocket(4, this.#random.integer(0, 8));
    if (this.#addresses.push(address) > 4) this.#addresses.shift();
    return fd;
  }

  #address(): Uint8Array {
    return this.#addresses[this.#random.integer(0, this.#addresses.length - 1)] ?? new Uint8Array(24);
  }

  #piece(): Piece {
    const random = this.#random;
    if (random.integer(0, 30) === 0)
      return [random.integer(-1, 6), random.integer(-9, 2 ** 20), random.integer(-9, 99)];
    return [this.#out, random.integer(0, 15) * 65_536, random.logUniform(1, 65_536)];
  }

  #provideAll(): void {
    this.#segments.forEach((segment, group) => {
      for (let index = 0; index < BUFFERS; index++) {
        if (!this.#driver.provided.has(`${segment}:${index}`)) this.#driver.provide(group, segment, index);
      }
    });
  }

  #rarely(): void {
    switch (this.#random.integer(0, 5)) {
      case 0:
        return this.#driver.dropGroup(this.#random.integer(0, GROUPS));
      case 1:
        return addon.wakePort(this.#driver.native.id, WakeReason.CONTROL);
      case 2:
        // In use by the sends in flight, or the group: mostly refused. When not, a new one has its number.
        return this.#replaceSegment(this.#random.integer(0, GROUPS - 1));
    }
  }

  #replaceSegment(group: number): void {
    const segment = this.#segments[group] as number;
    if (!this.#driver.native.removeSegment(segment)) return;
    this.#segments[group] = this.#driver.addSegment(BUFFERS, BUFFER_SIZE);
  }

  #nonsense(endpoint: number): void {
    const random = this.#random;
    const words = [random.integer(-3, 70_000), random.integer(-3, 9), random.integer(-3, 99), 0];
    switch (random.integer(0, 3)) {
      case 0:
        return this.#driver.start(random.integer(21, 300), endpoint, words);
      case 1:
        return this.#driver.submit(random.integer(5, 15), endpoint, words);
      case 2:
        // A piece promised that does not come.
        this.#driver.start(PortOpcode.SEND, endpoint, [this.#out, 0, 1, 1]);
        return this.#driver.submit(PortOpcode.PROVIDE, 0, [GROUPS + 1, 99, 0]);
      default:
        return this.#driver.start(
          OPERATIONS[random.integer(0, 3)] as number,
          random.integer(ENDPOINTS, 2 ** 31 - 1),
          words,
        );
    }
  }

  #heed({ opcode, endpoint, result, rejected }: Completion): void {
    if (rejected) return;
    this.seen.set(opcode, (this.seen.get(opcode) ?? 0) + 1);
    if (opcode === PortOpcode.ACCEPT && result >= 0) this.#accepted.push(result);
    if (opcode === PortOpcode.CLOSE && result === 0 && endpoint < ENDPOINTS) this.#free.add(endpoint);
  }
}

for (const backend of backends) {
  test(`${backend}: random submissions neither crash it nor break its promises`, (t) => {
    const random = Random.for(t);
    for (const capacity of [64, 1, 7, 256]) {
      const driver = new PortDriver(backend, capacity);
      const fuzz = new Fuzz(random, driver);
      for (let round = 0; round < scaled(1500); round++) fuzz.round();
      for (const opcode of OPERATIONS)
        t.true((fuzz.seen.get(opcode) ?? 0) > 0, `operation ${opcode} was never released`);
      driver.end();
    }
  });
}
