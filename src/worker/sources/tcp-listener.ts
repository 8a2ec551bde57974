/**
 * A TCP listener on the I/O thread: accepts ahead, into slots that its sharers lent it, and deals the connections among them. Mostly
 * there is one sharer, the client that bound it.
 *
 * ```
 *             armed: somebody is eligible                last sharer closed, and not kept
 *   idle ◄──────────────────────────────► accepting ──────────────────────► closing ──► released
 *    ▲                                        │ EMFILE, ENFILE, ENOBUFS, ENOMEM
 *    └── a descriptor closed, or 100 ms ── exhausted
 * ```
 *
 * A credit is a slot of a client for one connection. With none left the listener stops accepting and the
 * kernel's backlog holds what comes; so clients that do not accept cost a bounded number of descriptors.
 *
 * A connection goes to the eligible sharer that is least behind, round robin on ties. So whoever stalls is passed over as soon as
 * it is behind; what it does not claim within `passOnAfterMs` goes to another, and until it claims again so does all that comes.
 */
import { ADDRESS_WORDS } from '../../protocol/address.js';
import { CloseMode, PortOpcode } from '../../protocol/port-records.js';
import type { Session } from '../clients/session.js';
import type { Completion, EndpointOwner } from '../loop/port.js';
import type { Selector } from '../loop/selector.js';
import { Dealer } from './dealer.js';
import { ECANCELED, EMFILE, ENFILE, ENOBUFS, ENOMEM } from './errnos.js';
import type { Keepable } from './kept.js';
import { type Connection, Sharer } from './sharer.js';

const EXHAUSTED: ReadonlySet<number> = new Set([EMFILE, ENFILE, ENOBUFS, ENOMEM]);

export class TcpListener implements EndpointOwner, Keepable {
  readonly #selector: Selector;
  readonly #endpoint: number;
  readonly #name: string;
  readonly #dealer = new Dealer<Sharer>();
  /** Of the connection accepted last. */
  readonly #address = new Int32Array(ADDRESS_WORDS);
  /** Taken back from a sharer that left, when no other had a credit. */
  #waiting: Connection[] = [];
  #accepting = false;
  /** Accepting failed for want of descriptors or memory; told the clients, retrying. */
  #exhausted = false;
  #waitingToRetry = false;
  #failed = false;
  /** How many clients it moved away from that have no heir yet. */
  #keeps = 0;
  #closing = false;
  /** Closes when the endpoint is reaped. */
  #last: Sharer | undefined;

  /** `name`: see {@link sharedName}. Its first sharer is to join at once. */
  constructor(selector: Selector, name: string, fd: number) {
    this.#selector = selector;
    this.#endpoint = selector.port.adopt(fd, this);
    this.#name = name;
    selector.shareable.set(name, this);
  }

  join(session: Session, slot: number, generation: number): Sharer {
    const sharer = new Sharer(this, session, slot, generation);
    this.#dealer.add(sharer);
    if (this.#dealer.sharers.length > 1) this.#selector.dealing.add(this);
    return sharer;
  }

  /** A sharer has more credits, or another interest. */
  changed(): void {
    while (this.#waiting.length > 0) {
      const sharer = this.#dealer.next();
      if (!sharer) break;
      sharer.deal(this.#waiting.shift() as Connection);
    }
    if (this.#dealer.sharers.some(({ isEligible }) => isEligible)) this.#arm();
    else if (this.#accepting) this.#selector.port.cancel(this.#endpoint, PortOpcode.ACCEPT);
  }

  /** A sharer closed; these it had not claimed. */
  left(sharer: Sharer, unclaimed: readonly Connection[]): void {
    this.#dealer.remove(sharer);
    if (this.#dealer.sharers.length < 2) this.#selector.dealing.delete(this);
    this.#waiting.push(...unclaimed);
    if (this.#dealer.sharers.length > 0 || this.#keeps > 0) {
      sharer.released();
      return this.changed();
    }
    this.#last = sharer;
    this.#close();
  }

  /** Without a sharer it waits for one: what was accepted waits here, the rest in the kernel. */
  keep(): void {
    this.#keeps++;
  }

  letGo(): void {
    this.#keeps--;
    if (this.#keeps > 0 || this.#dealer.sharers.length > 0) return;
    this.#selector.kept.ends(this);
    this.#close();
  }

  /**
   * What has lain with a sharer for too long goes to others that are less behind, and not stalled themselves: so two that are slow do not pass it
   * back and forth. Returns the milliseconds until there may be something to pass on.
   */
  passOn(nowMs: number, afterMs: number): number {
    let againMs = Number.POSITIVE_INFINITY;
    for (const sharer of this.#dealer.sharers) {
      for (let sinceMs = sharer.behindSinceMs; sinceMs !== undefined; sinceMs = sharer.behindSinceMs) {
        if (sinceMs + afterMs > nowMs) {
          againMs = Math.min(againMs, sinceMs + afterMs - nowMs);
          break;
        }
        const heir = this.#heirOf(sharer);
        if (!heir) {
          againMs = Math.min(againMs, Math.max(1, afterMs));
          break;
        }
        const connection = sharer.takeBack();
        if (!connection) continue;
        this.#dealer.dealtTo(heir);
        heir.deal(connection);
      }
    }
    return againMs;
  }

  /** A descriptor was closed or some time has passed: accepting may work again. */
  retry(): void {
    this.#waitingToRetry = false;
    this.#arm();
  }

  completed(opcode: number, completion: Completion): void {
    if (opcode === PortOpcode.ACCEPT) this.#accepted(completion);
    else if (opcode === PortOpcode.CLOSE) this.#closed();
  }

  #close(): void {
    this.#closing = true;
    for (const connection of this.#waiting.splice(0)) this.#reset(connection);
    this.#selector.shareable.delete(this.#name);
    this.#selector.port.close(this.#endpoint, CloseMode.RESET);
  }

  #arm(): void {
    const idle = !this.#accepting && !this.#closing && !this.#failed && !this.#waitingToRetry;
    if (!idle || this.#waiting.length > 0) return;
    const limit = this.#dealer.sharers.reduce((sum, { isEligible, credits }) => sum + (isEligible ? credits : 0), 0);
    if (limit === 0) return;
    this.#accepting = true;
    this.#selector.port.accept(this.#endpoint, limit);
  }

  #accepted(completion: Completion): void {
    const { result, more } = completion;
    if (!more) this.#accepting = false;
    if (result >= 0) this.#connection(result, completion);
    else if (EXHAUSTED.has(result)) this.#outOfResources(result);
    else if (result !== ECANCELED) this.#fail(result);
    if (!more) this.#arm();
  }

  #connection(fd: number, completion: Completion): void {
    this.#exhausted = false;
    if (this.#closing) return this.#selector.discard(fd);
    const address = this.#address;
    completion.copyAddress(address, 0);
    const sharer = this.#dealer.next();
    if (sharer) sharer.deal({ fd, address, stream: undefined });
    // A kernel that accepted past the limit before it saw the cancel. Nobody knows of it yet, so it can wait.
    else this.#waiting.push({ fd, address: address.slice(), stream: undefined });
  }

  /** Who may have what this one lets lie. Nothing is dealt by asking. */
  #heirOf(sharer: Sharer): Sharer | undefined {
    const heir = this.#dealer.candidate();
    return heir && heir !== sharer && !heir.isStalled && heir.behind < sharer.behind ? heir : undefined;
  }

  #reset({ stream, fd }: Connection): void {
    if (stream) this.#selector.transfers.abandon(stream);
    else this.#selector.discard(fd);
  }

  /** One event per episode; then quietly again and again, until it works. */
  #outOfResources(errno: number): void {
    if (!this.#exhausted) for (const sharer of this.#dealer.sharers) sharer.fail(errno);
    this.#exhausted = true;
    if (this.#closing) return;
    this.#waitingToRetry = true;
    this.#selector.retryAccept(this);
  }

  #fail(errno: number): void {
    this.#failed = true;
    for (const sharer of this.#dealer.sharers) sharer.fail(errno);
  }

  #closed(): void {
    this.#selector.descriptorClosed();
    this.#selector.kept.ended(this);
    this.#last?.released();
  }
}
