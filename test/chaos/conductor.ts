/**
 * Chaos: TCP and Unix streams under checked traffic both ways move at random between threads, some of which stall, or are terminated and replaced; some are
 * split, and their halves go ways of their own. Beside them goes whatever else moves or is shared, see `kinds.ts`. On every
 * stream that ends in peace the bytes of both ways must match in content and number; on one whose owner was
 * terminated what came must be right as far as it came, and the connection must end. Where it was the owner of one half the other way's bytes must match all the same.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Interest, type IoThread, Poll, TcpListener, UnixListener } from '../../src/index.js';
import { Random } from '../util/random.js';
import { onWindows } from '../util/system.js';
import { Datagrams } from './datagrams.js';
import { type Kind, type Owner, send, until } from './kinds.js';
import { Listeners } from './listeners.js';
import { attach, type Carried, type FromOwner, type OwnerData, type Part, type Progress, partOf } from './messages.js';
import { Peer } from './peer.js';
import { Timers } from './timers.js';
import { Traffic } from './traffic.js';

export interface ChaosOptions {
  readonly streams: number;
  readonly threads: number;
  readonly seed: number;
  /** Called before each step: whether to go on. */
  readonly goOn: (chaos: Conductor) => boolean;
  /** Steps between two terminations, on average. */
  readonly stepsPerTermination: number;
}

/** Where streams come from, and how a peer gets there. */
interface Door {
  readonly listener: TcpListener | UnixListener;
  readonly address: NetConnectOpts;
}

/** A stream, or a half of one. */
interface Share {
  /** Who has it, or is about to. */
  owner: Owner;
  /** It was told to give it away, to this one, or to split it. */
  movingTo: Owner | undefined;
  /** Its owner was terminated: it ends. */
  doomed: boolean;
  ended: Progress | undefined;
}

interface Running {
  readonly peer: Peer;
  readonly shares: Map<Part, Share>;
  /** Its writer, if it has one, is to close. */
  finishing: boolean;
}

/** So many of the moves of whole streams split them instead. */
const SPLITS = 0.2;
/** Of the streams so many are in halves at a time: what is split stays so, and soon all would be. */
const SPLIT_MAX = 1 / 3;

export class Conductor {
  readonly counters = {
    moves: 0,
    unixMoves: 0,
    splits: 0,
    halfMoves: 0,
    terminations: 0,
    streams: 0,
    ended: 0,
    killed: 0,
    bytes: 0,
  };
  readonly #ioThread: IoThread;
  readonly #options: ChaosOptions;
  readonly #random: Random;
  readonly #traffic = new Traffic(0);
  readonly #poll: Poll;
  readonly #doors: Door[] = [];
  readonly #owners: Owner[] = [];
  readonly #running = new Map<number, Running>();
  readonly #kinds: readonly Kind[];
  readonly #failures: string[] = [];
  #ownersMade = 0;

  constructor(ioThread: IoThread, options: ChaosOptions) {
    this.#ioThread = ioThread;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#poll = new Poll({ ioThread });
    const tcp = TcpListener.bind({ host: '127.0.0.1', port: 0 });
    this.#doors.push({ listener: tcp, address: { host: '127.0.0.1', port: tcp.localAddress().port } });
    if (!onWindows) {
      const path = join(tmpdir(), `sideport-chaos-${process.pid}-${options.seed}`);
      rmSync(path, { force: true });
      this.#doors.push({ listener: UnixListener.bind(path), address: { path } });
    }
    for (const [token, { listener }] of this.#doors.entries())
      this.#poll.registry.register(listener, token, Interest.READABLE);
    this.#kinds = [
      new Listeners(ioThread, this.#traffic, this.#random),
      new Datagrams(ioThread, this.#traffic, this.#random),
      new Timers(ioThread, this.#random),
    ];
  }

  /** What has happened so far, of all kinds. */
  get tally(): Readonly<Record<string, number>> {
    return Object.assign({ ...this.counters }, ...this.#kinds.map(({ counters }) => counters));
  }

  /** @throws at the first wrong byte, or when something does not happen in time */
  async run(): Promise<void> {
    const { threads, streams, goOn, stepsPerTermination } = this.#options;
    for (let index = 0; index < threads; index++) this.#owners.push(await this.#newOwner());
    while (goOn(this)) {
      this.#check();
      while (this.#running.size < streams) await this.#newStream();
      if (this.#random.unit() < 1 / stepsPerTermination) await this.#terminate();
      for (const kind of this.#kinds) kind.step();
      if (this.#random.unit() < 0.05) send(this.#anyOwner(), { kind: 'stall', ms: this.#random.integer(1, 20) });
      for (let batch = this.#random.integer(1, 32); batch > 0; batch--) this.#moveOne();
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const { peer, shares } of this.#running.values()) if (!shares.get('whole')?.doomed) peer.finish();
    await this.#until(() => this.#running.size === 0, 'streams have not ended, some perhaps without an owner');
    for (const kind of this.#kinds) await kind.finish(() => this.#check());
    this.#check();
    await Promise.all(this.#owners.map(({ worker }) => worker.terminate()));
    for (const kind of this.#kinds) kind.close();
    for (const { listener } of this.#doors) listener.close();
    this.#poll.close();
  }

  #check(): void {
    if (this.#failures.length > 0) throw new Error(this.#failures.join('\n'));
  }

  async #newOwner(): Promise<Owner> {
    const workerData: OwnerData = { ioThread: this.#ioThread.share(), seed: this.#random.uint32() };
    const worker = new Worker(new URL('./owner.js', import.meta.url), { workerData });
    const owner: Owner = { worker, number: ++this.#ownersMade, gone: false };
    await once(owner.worker, 'message');
    owner.worker.on('message', (message: FromOwner) => this.#heard(owner, message));
    owner.worker.on('error', (error) => this.#failures.push(`an owner failed: ${error.stack}`));
    for (const kind of this.#kinds) kind.began(owner);
    return owner;
  }

  async #newStream(): Promise<void> {
    const id = ++this.counters.streams;
    const { listener, address } = this.#doors[id % this.#doors.length] as Door;
    const peer = new Peer(id, address, this.#traffic, this.#random);
    await peer.connected;
    const name = (await this.#accept(listener)).detach() as Carried['name'];
    const running: Running = { peer, shares: new Map(), finishing: false };
    this.#running.set(id, running);
    this.#handOut(running, { id, name, received: 0, sent: 0 }, this.#anyOwner());
    peer.over
      .then((progress) => this.#over(id, running, progress))
      .catch((error: Error) => this.#failures.push(String(error.stack)));
  }

  async #accept(listener: TcpListener | UnixListener) {
    for await (const _ of this.#poll) {
      const accepted = listener.accept();
      if (accepted) return accepted.stream;
    }
    throw new Error('the Poll was closed');
  }

  #anyOwner(): Owner {
    const alive = this.#owners.filter(({ gone }) => !gone);
    return alive[this.#random.integer(0, alive.length - 1)] as Owner;
  }

  #moveOne(): void {
    const still = [...this.#running].flatMap(([id, { shares }]) =>
      [...shares]
        .filter(([, one]) => !one.doomed && !one.movingTo && !one.ended)
        .map(([part, one]) => ({ id, part, one })),
    );
    const chosen = still[this.#random.integer(0, still.length - 1)];
    if (!chosen) return;
    const { id, part, one } = chosen;
    one.movingTo = this.#anyOwner();
    if (part === 'whole' && this.#maySplit() && this.#random.unit() < SPLITS) send(one.owner, { kind: 'split', id });
    else send(one.owner, { kind: 'give', id, part });
  }

  #maySplit(): boolean {
    const split = [...this.#running.values()].filter(({ shares }) => !shares.has('whole')).length;
    return split < this.#options.streams * SPLIT_MAX;
  }

  /** Some owner is terminated in whatever it is doing, and another takes its place. Its streams end by themselves, as do halves in the end. */
  async #terminate(): Promise<void> {
    const index = this.#random.integer(0, this.#owners.length - 1);
    const owner = this.#owners[index] as Owner;
    owner.gone = true;
    for (const [id, running] of this.#running) {
      for (const [part, one] of running.shares) {
        if (one.owner !== owner || one.doomed) continue;
        one.doomed = true;
        if (part === 'reader') this.#finishWriter(id, running);
      }
    }
    await owner.worker.terminate();
    for (const kind of this.#kinds) kind.ended(owner);
    this.#owners[index] = await this.#newOwner();
    this.counters.terminations++;
  }

  #heard(owner: Owner, message: FromOwner): void {
    if (message.kind === 'ready') return;
    if (message.kind === 'given') return this.#given(message.stream);
    if (message.kind === 'read again' || message.kind === 'given timer') {
      for (const kind of this.#kinds) kind.heard(owner, message);
      return;
    }
    if (message.kind === 'split') return this.#split(message.reader, message.writer);
    const { id, part } = message;
    const running = this.#running.get(id);
    const one = running?.shares.get(part);
    if (message.kind === 'failed' || !running || !one) {
      if (!owner.gone && !one?.doomed) this.#failures.push(`stream ${id}: ${JSON.stringify(message)}`);
      return;
    }
    one.ended = message.progress;
    if (part === 'reader') this.#finishWriter(id, running);
  }

  #given(stream: Carried): void {
    const running = this.#running.get(stream.id);
    const part = partOf(stream);
    const one = running?.shares.get(part);
    // Detached by an owner that was terminated right after.
    if (!running || !one || one.doomed) return part === 'whole' ? attach(stream).abort() : attach(stream).close();
    this.counters.moves++;
    if (stream.name.kind.startsWith('Unix')) this.counters.unixMoves++;
    if (part !== 'whole') this.counters.halfMoves++;
    this.#handOut(running, stream, one.movingTo);
    if (part === 'writer' && running.finishing) this.#finishWriter(stream.id, running);
  }

  #split(reader: Carried, writer: Carried): void {
    const running = this.#running.get(reader.id);
    const whole = running?.shares.get('whole');
    if (!running || !whole || whole.doomed) {
      for (const half of [reader, writer]) attach(half).abort();
      return;
    }
    running.shares.delete('whole');
    this.counters.splits++;
    this.#handOut(running, reader, whole.movingTo);
    this.#handOut(running, writer, this.#anyOwner());
  }

  /** To this owner, or, should that be gone, to any. */
  #handOut({ shares }: Running, stream: Carried, to: Owner | undefined): void {
    const owner = to?.gone === false ? to : this.#anyOwner();
    shares.set(partOf(stream), { owner, movingTo: undefined, doomed: false, ended: undefined });
    send(owner, { kind: 'take', stream });
  }

  /** Nobody reads any more. A writer on its way hears of it when it has an owner. */
  #finishWriter(id: number, running: Running): void {
    running.finishing = true;
    const writer = running.shares.get('writer');
    if (writer && !writer.doomed && !writer.movingTo && !writer.ended) send(writer.owner, { kind: 'finish', id });
  }

  async #over(id: number, running: Running, atPeer: Progress): Promise<void> {
    const { shares } = running;
    const settled = () => [...shares.values()].every(({ ended, doomed }) => ended !== undefined || doomed);
    await this.#until(settled, `stream ${id} ended early`);
    this.#running.delete(id);
    this.counters.bytes += atPeer.received + atPeer.sent;
    for (const [part, { ended, doomed }] of shares) {
      if (doomed || !ended) continue;
      const received = part === 'writer' || ended.received === atPeer.received;
      const sent = part === 'reader' || ended.sent === atPeer.sent;
      if (!received || !sent)
        this.#failures.push(
          `stream ${id}, ${part}: ${JSON.stringify(ended)}, but at its peer ${JSON.stringify(atPeer)}`,
        );
    }
    if ([...shares.values()].some(({ doomed }) => doomed)) this.counters.killed++;
    else this.counters.ended++;
  }

  #until(condition: () => boolean, complaint: string): Promise<void> {
    return until(
      condition,
      () => complaint,
      () => this.#check(),
    );
  }
}
