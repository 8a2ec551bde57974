/**
 * A TCP listener on its owner's thread: the connections accepted ahead, and the slots lent for more.
 */
import { readinessErrno, takeReadiness } from '../../atomics/readiness.js';
import { type SystemError, systemError } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import { Readiness } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { Submission } from '../../protocol/submissions.js';
import type { Client } from '../link/client.js';
import type { SlotOwner } from '../link/slots.js';
import { Ready } from '../polling/events.js';
import { Source } from './source.js';
import { StreamSource } from './stream-source.js';

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

export class ListenerSource extends Source {
  readonly #accepted: StreamSource[] = [];
  /** Slots lent and neither used nor returned. */
  #credits = 0;
  readonly #creditOwner = new Credits(this);
  #error: SystemError | undefined;

  constructor(descriptor: Descriptor) {
    super(descriptor, descriptor.fd);
  }

  get kind(): string {
    return 'TcpListener';
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
    if (this.closed) return client.reset(name);
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
    const stream = this.#accepted.shift();
    if (stream) {
      this.#lendSlots();
      return stream;
    }
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

  /** Accepted and never asked for: reset, as the kernel does with its backlog. */
  protected ending(): void {
    this.client?.forgetSlots(this);
    for (const stream of this.#accepted.splice(0)) stream.abort();
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
    if (this.#credits === 0 && this.#accepted.length < ahead) client.awaitSlots(this);
    if (wasShort) client.flush();
    else client.flushLazily();
  }
}
