/** Which owners share a thing: they join and leave at random, and are terminated; the conductor, which is dealt nothing, keeps the thing open. */
import { Interest, type Poll, type TcpListener, type UdpSocket } from '../../src/index.js';
import type { Random } from '../util/random.js';
import { type Handlers, type Owner, send } from './kinds.js';
import type { ToOwner } from './messages.js';

/** What an owner says of itself in shared memory, so that it is known even when it is terminated. */
export interface Witness {
  readonly number: number;
  /** 1 while it takes something and has not yet noted that it did. */
  readonly taking: Int32Array<SharedArrayBuffer>;
}

interface Member {
  readonly witness: Witness;
  joined: boolean;
}

export class Sharers {
  readonly counters = { joined: 0, left: 0 };
  readonly #random: Random;
  readonly #join: (witness: Witness) => ToOwner;
  readonly #leave: ToOwner;
  readonly #members = new Map<Owner, Member>();
  readonly #owners = new Map<number, Owner>();
  /** Owners that were terminated while they took something. */
  #caught = 0;

  constructor(random: Random, join: (witness: Witness) => ToOwner, leave: ToOwner) {
    this.#random = random;
    this.#join = join;
    this.#leave = leave;
  }

  /** How much may be missing: what an owner had taken, and not noted, when it was terminated. */
  get mayBeMissing(): number {
    return this.#caught;
  }

  /** Also while its termination is under way: others may hear of that first. */
  isGone(number: number): boolean {
    return this.#owners.get(number)?.gone === true;
  }

  began(owner: Owner): void {
    this.#owners.set(owner.number, owner);
    const taking = new Int32Array(new SharedArrayBuffer(4));
    this.#members.set(owner, { witness: { number: owner.number, taking }, joined: false });
    this.#enter(owner);
  }

  /** The thread is no more, so what it wrote last is seen here. */
  ended(owner: Owner): void {
    const member = this.#members.get(owner) as Member;
    this.#members.delete(owner);
    this.#caught += Atomics.load(member.witness.taking, 0);
  }

  /** One of them joins or leaves. Now and then none is left. */
  change(): void {
    const members = [...this.#members].filter(([owner]) => !owner.gone);
    const [owner, { joined }] = members[this.#random.integer(0, members.length - 1)] as [Owner, Member];
    if (joined) this.#quit(owner);
    else this.#enter(owner);
  }

  all(): void {
    for (const [owner, { joined }] of this.#members) if (!joined) this.#enter(owner);
  }

  #enter(owner: Owner): void {
    const member = this.#members.get(owner) as Member;
    member.joined = true;
    this.counters.joined++;
    send(owner, this.#join(member.witness));
  }

  #quit(owner: Owner): void {
    (this.#members.get(owner) as Member).joined = false;
    this.counters.left++;
    send(owner, this.#leave);
  }
}

/** An owner's part in it: its object of the shared thing, from when it joins until it leaves. */
export class Membership {
  readonly #poll: Poll;
  readonly #handlers: Handlers;
  #source: TcpListener | UdpSocket | undefined;
  #token = 0;

  constructor(poll: Poll, handlers: Handlers) {
    this.#poll = poll;
    this.#handlers = handlers;
  }

  /** `readable` is called when there is something for this owner. */
  join(source: TcpListener | UdpSocket, options: number, readable: () => void): void {
    this.#source = source;
    this.#token = this.#handlers.add(readable);
    this.#poll.registry.register(source, this.#token, Interest.READABLE, options);
  }

  leave(): void {
    this.#handlers.remove(this.#token);
    this.#source?.close();
  }
}

/** Runs `take` so that it shows if the thread is terminated in it. */
export function witnessed<Value>({ taking }: Witness, take: () => Value): Value {
  Atomics.store(taking, 0, 1);
  try {
    return take();
  } finally {
    Atomics.store(taking, 0, 0);
  }
}
