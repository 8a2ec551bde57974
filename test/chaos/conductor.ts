/**
 * Chaos: TCP and Unix streams under checked traffic both ways move at random between threads, some of which stall, or are terminated and replaced; beside
 * them whatever else moves or is shared, see `kinds.ts`. On every
 * stream that ends in peace the bytes of both ways must match in content and number; on one whose owner was
 * terminated what came must be right as far as it came, and the connection must end.
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
import { attach, type Carried, type FromOwner, type OwnerData, type Progress } from './messages.js';
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

interface Running {
  readonly peer: Peer;
  /** Who has it, or is about to. */
  owner: Owner;
  /** It was told to give it away, to this one. */
  movingTo: Owner | undefined;
  /** Some owner was terminated: it ends. */
  doomed: boolean;
  ended: Progress | undefined;
}

export class Conductor {
  readonly counters = { moves: 0, unixMoves: 0, terminations: 0, streams: 0, ended: 0, killed: 0, bytes: 0 };
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
    for (const { peer, doomed } of this.#running.values()) if (!doomed) peer.finish();
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
    const running: Running = { peer, owner: this.#anyOwner(), movingTo: undefined, doomed: false, ended: undefined };
    this.#running.set(id, running);
    send(running.owner, { kind: 'take', stream: { id, name, received: 0, sent: 0 } });
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
    const still = [...this.#running].filter(([, one]) => !one.doomed && !one.movingTo && !one.ended);
    if (still.length === 0) return;
    const [id, one] = still[this.#random.integer(0, still.length - 1)] as [number, Running];
    one.movingTo = this.#anyOwner();
    send(one.owner, { kind: 'give', id });
  }

  /** Some owner is terminated in whatever it is doing, and another takes its place. Its streams end by themselves. */
  async #terminate(): Promise<void> {
    const index = this.#random.integer(0, this.#owners.length - 1);
    const owner = this.#owners[index] as Owner;
    owner.gone = true;
    for (const one of this.#running.values()) if (one.owner === owner) one.doomed = true;
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
    const one = this.#running.get(message.id);
    if (message.kind === 'ended' && one) one.ended = message.progress;
    else if (!owner.gone && !one?.doomed) this.#failures.push(`stream ${message.id}: ${JSON.stringify(message)}`);
  }

  #given(stream: Carried): void {
    const one = this.#running.get(stream.id);
    // Detached by an owner that was terminated right after.
    if (!one || one.doomed) return attach(stream).abort();
    // Who was to have it may be gone.
    one.owner = one.movingTo?.gone === false ? one.movingTo : this.#anyOwner();
    one.movingTo = undefined;
    this.counters.moves++;
    if (stream.name.kind === 'UnixStream') this.counters.unixMoves++;
    send(one.owner, { kind: 'take', stream });
  }

  async #over(id: number, one: Running, atPeer: Progress): Promise<void> {
    if (!one.doomed) await this.#until(() => one.ended !== undefined || one.doomed, `stream ${id} ended early`);
    this.#running.delete(id);
    this.counters.bytes += atPeer.received + atPeer.sent;
    if (one.doomed) {
      this.counters.killed++;
      return;
    }
    this.counters.ended++;
    const atOwner = one.ended as Progress;
    if (atOwner.received === atPeer.received && atOwner.sent === atPeer.sent) return;
    this.#failures.push(`stream ${id}: ${JSON.stringify(atOwner)}, but at its peer ${JSON.stringify(atPeer)}`);
  }

  #until(condition: () => boolean, complaint: string): Promise<void> {
    return until(
      condition,
      () => complaint,
      () => this.#check(),
    );
  }
}
