/**
 * A UDP socket that owners share, join, leave and are terminated with. Numbered datagrams come for it all the time, never more under way than every
 * buffer holds: so each is read by exactly one owner and none is lost but one that a terminated owner had in its hands. What an owner had taken when it
 * was terminated counts as unread, and may be read by another one as well.
 */
import { createSocket, type Socket } from 'node:dgram';
import { type IoThread, type Poll, PollOpt, type SharedUdpSocket, UdpSocket } from '../../src/index.js';
import { bindUdp } from '../util/datagrams.js';
import type { Random } from '../util/random.js';
import { type Handlers, type Kind, type Owner, type Role, until } from './kinds.js';
import type { FromOwner, ToOwner } from './messages.js';
import { Membership, Sharers, type Witness, witnessed } from './sharing.js';
import type { Traffic } from './traffic.js';

/** What is known of the last datagrams, each at its number modulo {@link REMEMBERED}, and of all. */
interface Ledger {
  readonly numbers: Int32Array<SharedArrayBuffer>;
  /** The number of the owner that has read it; 0: nobody yet. */
  readonly readBy: Int32Array<SharedArrayBuffer>;
  /** Likewise, of who has answered it. */
  readonly answeredBy: Int32Array<SharedArrayBuffer>;
  /** One word: how many were read. */
  readonly read: Int32Array<SharedArrayBuffer>;
}

export interface JoinDatagrams {
  readonly kind: 'join datagrams';
  readonly name: SharedUdpSocket;
  readonly witness: Witness;
  readonly ledger: Ledger;
}

/** A datagram was read a second time. */
export interface ReadAgain {
  readonly kind: 'read again';
  readonly number: number;
  readonly firstBy: number;
}

const REMEMBERED = 65_536;
const UNDER_WAY = 64;
const NUMBER_BYTES = 4;
const LENGTH_MAX = 1200;

export class Datagrams implements Kind {
  readonly #traffic: Traffic;
  readonly #random: Random;
  readonly #socket = bindUdp();
  readonly #port = this.#socket.localAddress().port;
  readonly #peer: Socket = createSocket('udp4');
  readonly #sharers: Sharers;
  readonly #ledger: Ledger = {
    numbers: words(REMEMBERED),
    readBy: words(REMEMBERED),
    answeredBy: words(REMEMBERED),
    read: words(1),
  };
  readonly #answered = new Uint8Array(REMEMBERED);
  readonly #failures: string[] = [];
  #sent = 0;
  #answers = 0;
  #readAgain = 0;

  constructor(ioThread: IoThread, traffic: Traffic, random: Random) {
    this.#traffic = traffic;
    this.#random = random;
    const name = this.#socket.share(ioThread);
    const ledger = this.#ledger;
    const join = (witness: Witness): JoinDatagrams => {
      return { kind: 'join datagrams', name, witness, ledger };
    };
    this.#sharers = new Sharers(random, join, { kind: 'leave datagrams' });
    this.#peer.on('message', (bytes) => this.#hear(bytes));
  }

  get counters() {
    const { joined, left } = this.#sharers.counters;
    return {
      datagrams: this.#sent,
      datagramsAnswered: this.#answers,
      datagramsReadAgain: this.#readAgain,
      socketJoined: joined,
      socketLeft: left,
    };
  }

  began(owner: Owner): void {
    this.#sharers.began(owner);
  }

  ended(owner: Owner): void {
    this.#sharers.ended(owner);
  }

  step(): void {
    this.#check();
    if (this.#random.unit() < 0.3) this.#sharers.change();
    for (let more = this.#random.integer(0, 32); more > 0 && this.#underWay < UNDER_WAY; more--) this.#send();
  }

  heard(_: Owner, message: FromOwner): void {
    if (message.kind !== 'read again') return;
    this.#readAgain++;
    if (this.#sharers.isGone(message.firstBy)) return;
    this.#failures.push(`datagram ${message.number} was read again; before by ${message.firstBy}`);
  }

  async finish(check: () => void): Promise<void> {
    this.#sharers.all();
    const unanswered = () => this.#answerless().length;
    await until(
      () => this.#underWay === 0 && unanswered() === 0,
      () => `${this.#underWay} datagrams are lost, ${unanswered()} answers of living owners`,
      check,
    );
    this.#check();
  }

  close(): void {
    this.#socket.close();
    this.#peer.close();
  }

  /** Those that are neither read nor may be lost. */
  get #underWay(): number {
    return Math.max(0, this.#sent - Atomics.load(this.#ledger.read, 0) - this.#sharers.mayBeMissing);
  }

  /** The last ones of which an owner says that it answered, and which came from a living one: those answers are under way. */
  #answerless(): number[] {
    const { answeredBy } = this.#ledger;
    const from = Math.max(0, this.#sent - REMEMBERED);
    return Array.from({ length: this.#sent - from }, (_, at) => (from + at) % REMEMBERED).filter(
      (at) => answeredBy[at] !== 0 && this.#answered[at] === 0 && !this.#sharers.isGone(answeredBy[at] as number),
    );
  }

  #check(): void {
    if (this.#failures.length > 0) throw new Error(this.#failures.join('\n'));
  }

  #send(): void {
    const number = this.#sent++;
    const at = number % REMEMBERED;
    const { numbers, readBy, answeredBy } = this.#ledger;
    this.#answered[at] = 0;
    // The number last: whoever finds it there finds the other two cleared.
    Atomics.store(readBy, at, 0);
    Atomics.store(answeredBy, at, 0);
    Atomics.store(numbers, at, number);
    const bytes = numbered(number, this.#traffic, 'in', this.#random.logUniform(NUMBER_BYTES, LENGTH_MAX));
    this.#peer.send(bytes, this.#port, '127.0.0.1', (error) => {
      if (error) this.#failures.push(`datagram ${number} was not sent: ${error}`);
    });
  }

  #hear(bytes: Buffer): void {
    const number = bytes.readUInt32LE();
    try {
      this.#traffic.check(number, 'out', 0, bytes.subarray(NUMBER_BYTES));
    } catch (error) {
      this.#failures.push(String(error));
    }
    this.#answers++;
    this.#answered[number % REMEMBERED] = 1;
  }
}

export class DatagramRole implements Role {
  readonly #membership: Membership;
  readonly #traffic: Traffic;
  readonly #random: Random;
  readonly #tell: (message: ReadAgain) => void;
  readonly #into = Buffer.alloc(LENGTH_MAX);

  constructor(poll: Poll, handlers: Handlers, traffic: Traffic, random: Random, tell: (message: ReadAgain) => void) {
    this.#membership = new Membership(poll, handlers);
    this.#traffic = traffic;
    this.#random = random;
    this.#tell = tell;
  }

  heard(message: ToOwner): boolean {
    if (message.kind === 'join datagrams') this.#join(message);
    else if (message.kind === 'leave datagrams') this.#membership.leave();
    else return false;
    return true;
  }

  #join({ name, witness, ledger }: JoinDatagrams): void {
    const socket = UdpSocket.from(name);
    this.#membership.join(socket, PollOpt.LEVEL, () => {
      // Not always all of them: so there is something unread when it leaves.
      for (let turns = this.#random.integer(1, 8); turns > 0; turns--) {
        if (!witnessed(witness, () => this.#receive(socket, witness, ledger))) return;
      }
    });
  }

  /** False: there is none. */
  #receive(socket: UdpSocket, { number: mine }: Witness, ledger: Ledger): boolean {
    if (this.#random.unit() < 0.5) {
      const lease = socket.take();
      if (!lease) return false;
      this.#note(Buffer.from(lease.bytes), mine, ledger, socket, lease.from.port);
      lease.release();
    } else {
      const received = socket.recvFrom(this.#into);
      if (!received) return false;
      this.#note(this.#into.subarray(0, received.length), mine, ledger, socket, received.from.port);
    }
    return true;
  }

  #note(bytes: Buffer, mine: number, ledger: Ledger, socket: UdpSocket, port: number): void {
    const number = bytes.readUInt32LE();
    const at = number % REMEMBERED;
    this.#traffic.check(number, 'in', 0, bytes.subarray(NUMBER_BYTES));
    if (Atomics.load(ledger.numbers, at) !== number) throw new Error(`datagram ${number} is long gone`);
    // Of two that read it one finds the other here, whichever is first.
    const firstBy = Atomics.compareExchange(ledger.readBy, at, 0, mine);
    if (firstBy !== 0) return this.#tell({ kind: 'read again', number, firstBy });
    Atomics.add(ledger.read, 0, 1);
    const answer = numbered(number, this.#traffic, 'out', this.#random.logUniform(NUMBER_BYTES, LENGTH_MAX));
    if (socket.sendTo(answer, { host: '127.0.0.1', port }) !== null) Atomics.store(ledger.answeredBy, at, mine);
  }
}

/** The number, and what can be told from it. */
function numbered(number: number, traffic: Traffic, way: 'in' | 'out', length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(number);
  traffic.at(number, way, 0, length - NUMBER_BYTES).copy(bytes, NUMBER_BYTES);
  return bytes;
}

function words(count: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4 * count));
}
