/**
 * A listener, TCP or Unix-domain, on its owner's thread: the connections accepted ahead, and the slots lent for more.
 */
import { Offer } from '../../atomics/claim.js';
import { readinessErrno, takeReadiness } from '../../atomics/readiness.js';
import { systemError } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import { Readiness } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { Submission } from '../../protocol/submissions.js';
import type { DetachedShared, SharedSource } from '../../protocol/transfer.js';
import type { Client } from '../link/client.js';
import type { SlotOwner } from '../link/slots.js';
import { Ready } from '../polling/events.js';
import { ShareableSource } from './shareable-source.js';
import { arrive, type Joined, join } from './sharing.js';
import { StreamSource } from './stream-source.js';
import { errorFrom } from './stream-transfer.js';

/** Owns the slots that a listener has lent to the I/O thread, one for each connection to come. */
class Credits implements SlotOwner {
  readonly #listener: ListenerSource;

  constructor(listener: ListenerSource) {
    this.#listener = listener;
  }

  dispatch(kind: number, slot: number, fd: number): void {
    if (kind === EventKind.ACCEPTED) this.#listener.accepted(slot, fd);
  }

  released(): void {
    this.#listener.creditReturned();
  }

  goneWithIoThread(): void {}
}

type ListenerKind = 'TcpListener' | 'UnixListener';

export class ListenerSource extends ShareableSource<ListenerKind> {
  readonly #accepted: StreamSource[] = [];
  /** Slots lent and neither used nor returned. */
  #credits = 0;
  readonly #creditOwner = new Credits(this);

  static bound(kind: ListenerKind, descriptor: Descriptor): ListenerSource {
    return new ListenerSource(kind, descriptor, descriptor.fd);
  }

  /** Another thread's, shared. @throws as {@link join} */
  static joined<Kind extends ListenerKind>(shared: SharedSource<Kind>, kind: Kind): ListenerSource {
    const listener = ListenerSource.#on(join(shared, kind), shared, kind);
    listener.#lendSlots();
    return listener;
  }

  /** Moved here with its Poll; lends no slots before {@link retry}. @throws as {@link arrive} */
  static attached<Kind extends ListenerKind>(moved: DetachedShared<Kind>, kind: Kind): ListenerSource {
    const listener = ListenerSource.#on(arrive(moved, kind), moved.shared, kind);
    listener.error = errorFrom(moved.error);
    return listener;
  }

  static #on({ client, name }: Joined, shared: SharedSource<ListenerKind>, kind: ListenerKind): ListenerSource {
    return new ListenerSource(kind, undefined, shared.fd, client, name, shared);
  }

  readiness(): number {
    let ready = 0;
    if (this.#accepted.length > 0) ready |= Ready.READABLE;
    if (this.error) ready |= Ready.READABLE | Ready.ERROR;
    return ready;
  }

  dispatch(kind: number): void {
    if (kind !== EventKind.READY) return;
    const { client, slot } = this;
    if (!client || (takeReadiness(client.words, slot) & Readiness.FAILED) === 0) return;
    this.error = systemError('accept', readinessErrno(client.words, slot));
    this.raise(Ready.READABLE | Ready.ERROR);
  }

  /** A connection came in; its slot was lent by us. */
  accepted(slot: number, fd: number): void {
    this.#credits--;
    const client = this.client as Client;
    const name = { slot, generation: client.generation(slot) };
    // Ours no more; the I/O thread has dealt it to another sharer, or reset it.
    if (this.closed) return;
    const stream = StreamSource.accepted(client, name, fd);
    client.transfer(name, stream);
    this.#accepted.push(stream);
    this.raise(Ready.READABLE);
  }

  /** The I/O thread gave a slot back unused. */
  creditReturned(): void {
    this.#credits--;
  }

  accept(): StreamSource | null {
    this.checkOpen();
    for (let stream = this.#accepted.shift(); stream; stream = this.#accepted.shift()) {
      // Taken back, because we were slow.
      if (!this.#claim(stream)) continue;
      this.#lendSlots();
      return stream;
    }
    if (this.isShared) this.#lendSlots();
    this.client?.checkAlive();
    return null;
  }

  /** Asked again after a slot came back. */
  retry(): boolean {
    if (this.closed) return true;
    this.#lendSlots();
    return this.#credits > 0;
  }

  protected open(client: Client, interest: number): void {
    client.submit(Submission.OPEN_LISTENER, this.slot, this.generation, this.fd, interest);
    this.#lendSlots();
  }

  /** What was accepted and never asked for the I/O thread resets, as the kernel does with its backlog, or deals to another sharer. */
  protected ending(): void {
    this.client?.creditless.forget(this);
    this.#accepted.length = 0;
  }

  #claim({ slot, generation }: StreamSource): boolean {
    const { claims, clientId } = this.client as Client;
    return claims.claim(slot, generation, Offer.DEALT, clientId);
  }

  /** Lends slots until `acceptAhead` connections are accepted or may be. Wakes only when accepting would stall. */
  #lendSlots(): void {
    const { client, slot, generation } = this;
    if (!client?.isAlive) return;
    const ahead = client.limits.acceptAhead;
    const wasShort = this.#credits <= ahead >> 2;
    while (this.#credits + this.#accepted.length < ahead && client.slotsAvailable > 0) {
      const lent = client.allocate(this.#creditOwner);
      this.#credits++;
      client.submit(Submission.ACCEPT_CREDIT, slot, generation, lent, client.generation(lent));
    }
    if (this.#credits === 0 && this.#accepted.length < ahead) client.creditless.add(this);
    if (wasShort) client.flush();
    else client.flushLazily();
  }
}
