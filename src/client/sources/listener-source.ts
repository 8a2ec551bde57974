/**
 * A TCP listener on its owner's thread: the connections accepted ahead, and the slots lent for more.
 */
import { readinessErrno, takeReadiness } from '../../atomics/readiness.js';
import { type SystemError, systemError } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import { ADDRESS_WORDS, decodeAddress, type SocketAddress } from '../../protocol/address.js';
import { Readiness, Slot, slotBase } from '../../protocol/client-memory.js';
import { EventKind } from '../../protocol/events.js';
import { Submission } from '../../protocol/submissions.js';
import type { Client } from '../link/client.js';
import type { SlotOwner } from '../link/slots.js';
import { Ready } from '../polling/events.js';
import { type SlotName, Source } from './source.js';
import { StreamSource } from './stream-source.js';

/** A slot lent to the I/O thread for one connection. */
class Credit implements SlotOwner {
  readonly #listener: ListenerSource;
  name: SlotName | undefined;

  constructor(listener: ListenerSource) {
    this.#listener = listener;
  }

  dispatch(kind: number, _a: number, fd: number): void {
    if (kind === EventKind.ACCEPTED && this.name) this.#listener.accepted(this.name, fd);
  }

  released(): void {
    this.#listener.creditReturned();
  }

  goneWithIoThread(): void {}
}

export class ListenerSource extends Source {
  readonly kind = 'TcpListener';
  readonly #accepted: StreamSource[] = [];
  #credits = 0;
  #error: SystemError | undefined;

  constructor(descriptor: Descriptor) {
    super(descriptor, descriptor.fd);
  }

  readiness(): number {
    let ready = 0;
    if (this.#accepted.length > 0) ready |= Ready.READABLE;
    if (this.#error) ready |= Ready.READABLE | Ready.ERROR;
    return ready;
  }

  dispatch(kind: number): void {
    if (kind !== EventKind.READY) return;
    const { client, slot } = this.name as SlotName;
    if ((takeReadiness(client.words, slot) & Readiness.FAILED) === 0) return;
    this.#error = systemError('accept', readinessErrno(client.words, slot));
    this.raise(Ready.READABLE | Ready.ERROR);
  }

  /** A connection came in; its slot was lent by us. */
  accepted(name: SlotName, fd: number): void {
    this.#credits--;
    if (this.closed) return name.client.reset(name.slot, name.generation);
    const stream = StreamSource.accepted(name, fd, peerAddress(name.client, name.slot));
    name.client.transfer(name, stream);
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
    this.name?.client.checkAlive();
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

  protected open(name: SlotName, interest: number): void {
    name.client.submit(Submission.OPEN_LISTENER, name.slot, name.generation, this.fd, interest);
    this.#lendSlots();
  }

  /** Accepted and never asked for: reset, as the kernel does with its backlog. */
  protected ending(): void {
    const { client } = this.name as SlotName;
    client.forgetSlots(this);
    for (const stream of this.#accepted.splice(0)) stream.abort();
  }

  /** Lends slots until `acceptAhead` connections are accepted or may be. Wakes only when accepting would stall. */
  #lendSlots(): void {
    const { client, slot, generation } = this.name as SlotName;
    if (!client.isAlive) return;
    const ahead = client.limits.acceptAhead;
    const wasShort = this.#credits <= ahead >> 2;
    while (this.#credits + this.#accepted.length < ahead && client.slotsAvailable > 0) {
      const credit = new Credit(this);
      credit.name = client.allocate(credit);
      this.#credits++;
      client.submit(Submission.ACCEPT_CREDIT, slot, generation, credit.name.slot, credit.name.generation);
    }
    if (this.#credits === 0 && this.#accepted.length < ahead) client.awaitSlots(this);
    if (wasShort) client.flush();
    else client.flushLazily();
  }
}

/** The address that the I/O thread left in the slot's record before it told us. */
function peerAddress(client: Client, slot: number): SocketAddress {
  const at = slotBase(slot) + Slot.ADDRESS;
  const words = client.words.slice(at, at + ADDRESS_WORDS);
  return decodeAddress(new Uint8Array(words.buffer)) ?? { address: '', family: 'IPv4', port: 0 };
}
