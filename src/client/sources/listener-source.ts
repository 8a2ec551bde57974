/**
 * A listener, TCP or Unix-domain, on its owner's thread: the connections accepted ahead, and the slots lent for more.
 */
import { Offer } from '../../atomics/claim.js';
import { readinessErrno, takeReadiness } from '../../atomics/readiness.js';
import { type SystemError, systemError } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import { Readiness } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { CloseMode } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import type { DetachedShared, SharedSource } from '../../protocol/transfer.js';
import type { Client } from '../link/client.js';
import type { SlotName, SlotOwner } from '../link/slots.js';
import { Ready } from '../polling/events.js';
import { arrive, detachedName, type Joined, join, shareName } from './sharing.js';
import type { SocketFile } from './socket-file.js';
import { Source } from './source.js';
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

export class ListenerSource extends Source {
  /** The public class's name. */
  readonly kind: ListenerKind;
  readonly #accepted: StreamSource[] = [];
  /** Slots lent and neither used nor returned. */
  #credits = 0;
  readonly #creditOwner = new Credits(this);
  #error: SystemError | undefined;

  /** Of a Unix socket that is bound to a path: the file that it made, or the sharer that made it. */
  file: SocketFile | undefined;
  /** By which it is shared; undefined until then. */
  #name: SharedSource<ListenerKind> | undefined;

  static bound(kind: ListenerKind, descriptor: Descriptor): ListenerSource {
    return new ListenerSource(kind, descriptor, descriptor.fd);
  }

  /** Another thread's, shared. @throws as {@link join} */
  static joined<Kind extends ListenerKind>(shared: SharedSource<Kind>, kind: Kind): ListenerSource {
    const listener = ListenerSource.#joined(shared, kind, join(shared, kind));
    listener.#lendSlots();
    return listener;
  }

  /** Moved here with its Poll; lends no slots before {@link retry}. @throws as {@link arrive} */
  static attached<Kind extends ListenerKind>(moved: DetachedShared<Kind>, kind: Kind): ListenerSource {
    const listener = ListenerSource.#joined(moved.shared, kind, arrive(moved, kind));
    listener.#error = errorFrom(moved.error);
    return listener;
  }

  static #joined<Kind extends ListenerKind>(
    shared: SharedSource<Kind>,
    kind: Kind,
    { client, name }: Joined,
  ): ListenerSource {
    const listener = new ListenerSource(kind, undefined, shared.fd, client, name);
    client.transfer(name, listener);
    listener.#name = shared;
    return listener;
  }

  private constructor(
    kind: ListenerKind,
    descriptor: Descriptor | undefined,
    fd: number,
    client?: Client,
    name?: SlotName,
  ) {
    super(descriptor, fd, client, name);
    this.kind = kind;
  }

  share<Kind extends ListenerKind>(client: Client): SharedSource<Kind> {
    this.checkOpen();
    this.openOn(client);
    client.checkAlive();
    this.#name ??= shareName(client, this, this.fd, this.kind);
    return this.#name as SharedSource<Kind>;
  }

  protected override leaving(): () => DetachedShared<ListenerKind> {
    const client = this.client as Client;
    const name = { ...this.share<ListenerKind>(client), file: this.file?.share() };
    return () => {
      const moved = detachedName(client, this, name, this.#error);
      this.end(CloseMode.FLUSHED, Submission.DETACH_SHARED);
      return moved;
    };
  }

  readiness(): number {
    let ready = 0;
    if (this.#accepted.length > 0) ready |= Ready.READABLE;
    if (this.#error) ready |= Ready.READABLE | Ready.ERROR;
    return ready;
  }

  dispatch(kind: number): void {
    if (kind !== EventKind.READY) return;
    const { client, slot } = this;
    if (!client || (takeReadiness(client.words, slot) & Readiness.FAILED) === 0) return;
    this.#error = systemError('accept', readinessErrno(client.words, slot));
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
    if (this.#name) this.#lendSlots();
    this.client?.checkAlive();
    return null;
  }

  takeError(): SystemError | null {
    const error = this.#error ?? null;
    this.#error = undefined;
    return error;
  }

  descriptor(): number {
    return this.fd;
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
