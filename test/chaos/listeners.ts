/**
 * A listener that owners share, join, leave and are terminated with. Callers come all the time, say which they are, and must be answered
 * by the one owner that accepted them: exactly one, whoever left meanwhile. A caller is lost only with the owner that had accepted it.
 */
import { connect, type Socket } from 'node:net';
import {
  Interest,
  type IoThread,
  type Poll,
  PollOpt,
  type SharedListener,
  TcpListener,
  type TcpStream,
} from '../../src/index.js';
import type { Random } from '../util/random.js';
import { type Handlers, type Kind, type Owner, type Role, until } from './kinds.js';
import type { ToOwner } from './messages.js';
import { Membership, Sharers, type Witness, witnessed } from './sharing.js';
import type { Traffic } from './traffic.js';

export interface JoinListener {
  readonly kind: 'join listener';
  readonly name: SharedListener;
  readonly witness: Witness;
  /** By the caller's port: the number of who accepted it. */
  readonly acceptedBy: Int32Array<SharedArrayBuffer>;
}

const CALLERS = 12;
const PORTS = 65_536;
/** A caller says its number and some bytes; the answer is the owner's number. */
const QUESTION_BYTES = 300;
const NUMBER_BYTES = 4;

export class Listeners implements Kind {
  readonly #traffic: Traffic;
  readonly #random: Random;
  readonly #listener = TcpListener.bind({ host: '127.0.0.1', port: 0 });
  readonly #port = this.#listener.localAddress().port;
  readonly #acceptedBy = new Int32Array(new SharedArrayBuffer(4 * PORTS));
  readonly #sharers: Sharers;
  readonly #callers = new Set<Socket>();
  readonly #failures: string[] = [];
  #calls = 0;
  #lost = 0;
  /** Nobody had noted that it accepted them. */
  #lostUnaccepted = 0;

  constructor(ioThread: IoThread, traffic: Traffic, random: Random) {
    this.#traffic = traffic;
    this.#random = random;
    const name = this.#listener.share(ioThread);
    const acceptedBy = this.#acceptedBy;
    const join = (witness: Witness): JoinListener => ({ kind: 'join listener', name, witness, acceptedBy });
    this.#sharers = new Sharers(random, join, { kind: 'leave listener' });
  }

  get counters() {
    const { joined, left } = this.#sharers.counters;
    return { calls: this.#calls, callsLost: this.#lost, listenerJoined: joined, listenerLeft: left };
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
    for (let more = this.#random.integer(0, 6); more > 0 && this.#callers.size < CALLERS; more--) this.#call();
  }

  heard(): void {}

  async finish(check: () => void): Promise<void> {
    this.#sharers.all();
    await until(
      () => this.#callers.size === 0,
      () => `${this.#callers.size} callers are not answered`,
      check,
    );
    this.#check();
    const { mayBeMissing } = this.#sharers;
    if (this.#lostUnaccepted > mayBeMissing)
      throw new Error(`${this.#lostUnaccepted} callers were lost that nobody had accepted, ${mayBeMissing} may be`);
  }

  close(): void {
    this.#listener.close();
  }

  #check(): void {
    if (this.#failures.length > 0) throw new Error(this.#failures.join('\n'));
  }

  #call(): void {
    const number = ++this.#calls;
    const socket = connect({ host: '127.0.0.1', port: this.#port });
    this.#callers.add(socket);
    const question = Buffer.alloc(QUESTION_BYTES);
    question.writeUInt32LE(number);
    this.#traffic.at(number, 'in', 0, QUESTION_BYTES - NUMBER_BYTES).copy(question, NUMBER_BYTES);
    socket.write(question);
    let localPort = 0;
    const answer: Buffer[] = [];
    let error: Error | undefined;
    socket.once('connect', () => {
      localPort = socket.localPort as number;
    });
    socket.on('data', (bytes) => answer.push(bytes));
    socket.on('error', (reason) => {
      error = reason;
    });
    socket.once('close', () => {
      this.#callers.delete(socket);
      this.#answered(number, Atomics.exchange(this.#acceptedBy, localPort, 0), Buffer.concat(answer), error);
    });
  }

  #answered(number: number, acceptedBy: number, answer: Buffer, error: Error | undefined): void {
    if (answer.length === NUMBER_BYTES && answer.readUInt32LE() === acceptedBy) return;
    this.#lost++;
    if (acceptedBy === 0) this.#lostUnaccepted++;
    else if (answer.length > 0 || !this.#sharers.isGone(acceptedBy))
      this.#failures.push(`caller ${number}, accepted by ${acceptedBy}: ${answer.toString('hex')}, ${error}`);
  }
}

export class ListenerRole implements Role {
  readonly #poll: Poll;
  readonly #handlers: Handlers;
  readonly #traffic: Traffic;
  readonly #membership: Membership;

  constructor(poll: Poll, handlers: Handlers, traffic: Traffic) {
    this.#membership = new Membership(poll, handlers);
    this.#poll = poll;
    this.#handlers = handlers;
    this.#traffic = traffic;
  }

  heard(message: ToOwner): boolean {
    if (message.kind === 'join listener') this.#join(message);
    else if (message.kind === 'leave listener') this.#membership.leave();
    else return false;
    return true;
  }

  #join({ name, witness, acceptedBy }: JoinListener): void {
    const listener = TcpListener.from(name);
    this.#membership.join(listener, PollOpt.EDGE, () => {
      for (let more = true; more; ) more = witnessed(witness, () => this.#accept(listener, witness, acceptedBy));
    });
  }

  /** False: there is nobody. */
  #accept(listener: TcpListener, { number }: Witness, acceptedBy: Int32Array): boolean {
    const accepted = listener.accept();
    if (!accepted) return false;
    const { stream, peer } = accepted;
    // Of two that accept it one finds the other here; it is stored before the answer is sent, so the caller, who reads it after that, finds it.
    const before = Atomics.compareExchange(acceptedBy, peer.port, 0, number);
    if (before !== 0) throw new Error(`the caller at port ${peer.port} was accepted by ${before} and by ${number}`);
    const question = Buffer.alloc(QUESTION_BYTES);
    let got = 0;
    const token = this.#handlers.add(() => {
      const count = stream.read(question.subarray(got));
      if (count === 0) throw new Error('a caller ended before it had an answer');
      got += count ?? 0;
      if (got < QUESTION_BYTES) return;
      this.#answer(stream, question, number);
      this.#handlers.remove(token);
    });
    this.#poll.registry.register(stream, token, Interest.READABLE, PollOpt.LEVEL);
    return true;
  }

  #answer(stream: TcpStream, question: Buffer, number: number): void {
    this.#traffic.check(question.readUInt32LE(), 'in', 0, question.subarray(NUMBER_BYTES));
    const answer = Buffer.alloc(NUMBER_BYTES);
    answer.writeUInt32LE(number);
    if (stream.write(answer) !== NUMBER_BYTES) throw new Error('there was no room for an answer');
    stream.close();
  }
}
