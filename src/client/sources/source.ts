/**
 * What every kind of source has in common on the client's side: its registrations, its slot, its end.
 *
 * ```
 *   fresh ──first register──► open ──close / abort──► closed
 *     │                        └── the I/O thread ends: open, but every call throws GONE
 *     └──close──► closed         └──detach──► closed here; its slot is the I/O thread's, to give back
 * ```
 *
 * A fresh source owns its descriptor. The first `register` ties it to that Poll's I/O thread for life: it gets a slot,
 * and the descriptor is lent to the port. Deregistering keeps slot and data; registering again goes on with them.
 */

import { fail } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import { CloseMode } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import type { Client } from '../link/client.js';
import { Hold } from '../link/holds.js';
import type { SlotName, SlotOwner } from '../link/slots.js';
import { type ReadinessSource, type ReadyList, Registration } from '../polling/registration.js';

const NO_SLOT = -1;

export abstract class Source implements ReadinessSource, SlotName, SlotOwner {
  /** The public class's name, for warnings. */
  abstract get kind(): string;
  /** @internal Whose I/O thread serves this; undefined while fresh. With it come slot and generation. */
  client: Client | undefined;
  slot = NO_SLOT;
  generation = 0;
  /** Few, mostly one: linked through their `sibling`. */
  #registration: Registration | undefined;
  #descriptor: Descriptor | undefined;
  #fd: number;
  #submittedInterest = 0;
  #closed = false;
  #referenced = true;
  /** Taken while this flushes after its close. */
  #hold: Hold | undefined;

  /** @internal Fresh with a descriptor of its own, or accepted: `fd` is the port's, the slot was lent before. */
  protected constructor(descriptor: Descriptor | undefined, fd: number, client?: Client, name?: SlotName) {
    this.#descriptor = descriptor;
    this.#fd = fd;
    if (client && name) this.#settle(client, name.slot, name.generation);
  }

  /** Whether `close` or `abort` was called, or it was detached. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Closes at once for the caller; what was written is still sent, for `lingerMs` at most. Idempotent. */
  close(): void {
    this.end(CloseMode.FLUSHED);
  }

  /** Closes and resets: what was written and not sent is dropped. Idempotent. */
  abort(): void {
    this.end(CloseMode.RESET);
  }

  /** @internal */
  abstract readiness(): number;

  /** @internal The I/O thread has something for this source; called while the event ring is drained. */
  abstract dispatch(kind: number, a: number, b: number): void;

  /** @internal Submits the opening of a fresh source in its new slot. */
  protected abstract open(client: Client, interest: number): void;

  /** @internal The last chance to give buffers back. */
  protected abstract ending(): void;

  /** Whether a flushing close keeps, or would keep, this thread alive. */
  get referenced(): boolean {
    return this.#referenced;
  }

  set referenced(referenced: boolean) {
    this.#referenced = referenced;
    if (this.#hold) this.#hold.referenced = referenced;
  }

  /** @internal Called when the slot is the client's again. */
  released(): void {
    this.#hold?.drop();
  }

  /** @internal The I/O thread has ended, or serves this thread no more. Nothing of a source that was closed remains. */
  goneWithIoThread(): void {
    this.#hold?.drop();
    if (this.#closed) this.#descriptor?.close();
  }

  /** @internal @throws ERR_SIDEPORT_ALREADY_REGISTERED, ERR_SIDEPORT_OTHER_IO_THREAD, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_LIMIT */
  registerWith(client: Client, list: ReadyList, token: number, interest: number, options: number): void {
    this.checkOpen();
    if (this.client !== undefined && this.client !== client) throw fail('ERR_SIDEPORT_OTHER_IO_THREAD');
    if (this.#find(list)) throw fail('ERR_SIDEPORT_ALREADY_REGISTERED');
    client.checkAlive();
    // Nothing is changed before the last thing that can fail.
    if (this.client === undefined) this.#openOn(client, interest);
    const registration = new Registration(this, list);
    registration.sibling = this.#registration;
    this.#registration = registration;
    registration.set(token, interest, options);
    this.#submitInterest();
  }

  /** @internal @throws ERR_SIDEPORT_NOT_REGISTERED, ERR_SIDEPORT_CLOSED */
  reregisterWith(list: ReadyList, token: number, interest: number, options: number): void {
    this.checkOpen();
    const registration = this.#find(list);
    if (!registration) throw fail('ERR_SIDEPORT_NOT_REGISTERED');
    registration.set(token, interest, options);
    this.#submitInterest();
  }

  /** @internal @throws ERR_SIDEPORT_NOT_REGISTERED, ERR_SIDEPORT_CLOSED */
  deregisterFrom(list: ReadyList): void {
    this.checkOpen();
    const registration = this.#find(list);
    if (!registration) throw fail('ERR_SIDEPORT_NOT_REGISTERED');
    this.forgetPoll(list);
    this.#submitInterest();
  }

  /** @internal The Poll closes: as deregister, without complaint. */
  forgetPoll(list: ReadyList): void {
    let before: Registration | undefined;
    for (let each = this.#registration; each; before = each, each = each.sibling) {
      if (each.list !== list) continue;
      if (before) before.sibling = each.sibling;
      else this.#registration = each.sibling;
      return each.end();
    }
  }

  /**
   * The descriptor, for synchronous calls of the owner thread. An I/O thread that ends closes what it adopted, and the
   * kernel uses the number again: so from then on there is none. @internal @throws ERR_SIDEPORT_IO_THREAD_GONE
   */
  protected get fd(): number {
    this.checkOpen();
    this.client?.probe();
    this.client?.checkAlive();
    return this.#fd;
  }

  /** @internal */
  protected checkOpen(): void {
    if (this.#closed) throw fail('ERR_SIDEPORT_CLOSED');
  }

  /** @internal Tells every registration that these bits have changed. */
  protected raise(bits: number): void {
    for (let each = this.#registration; each; each = each.sibling) each.raise(bits);
  }

  /** @internal Opens a fresh source on the I/O thread without registering it. Of another it is left alone. */
  protected openOn(client: Client): void {
    if (this.client === undefined) this.#openOn(client, 0);
  }

  /** @internal This thread's part is over; `heir` has the slot until it is released. The source was told to the I/O thread otherwise. */
  protected leave(heir: SlotOwner): void {
    const client = this.client as Client;
    this.#closed = true;
    for (let each = this.#registration; each; each = each.sibling) each.end();
    this.#registration = undefined;
    this.#fd = -1;
    client.transfer(this, heir);
  }

  /** @internal Submits for this source's slot. */
  protected submit(opcode: number, a = 0, b = 0): void {
    const client = this.client as Client;
    client.submit(opcode, this.slot, this.generation, a, b);
    client.flush();
  }

  /** @internal */
  protected end(mode: number): void {
    if (this.#closed) return;
    this.#closed = true;
    for (let each = this.#registration; each; each = each.sibling) each.end();
    this.#registration = undefined;
    const { client } = this;
    if (client === undefined) {
      this.#descriptor?.close();
      return;
    }
    try {
      this.ending();
      // From here on the descriptor is the I/O thread's alone: it closes it, and the kernel reuses the number.
      this.#fd = -1;
      if (client.isAlive) this.submit(Submission.CLOSE, mode);
    } catch (error) {
      // Found gone at this very call; a close is content with that.
      if (client.isAlive) throw error;
    }
    // An I/O thread that ended before it adopted the descriptor has left it to us.
    if (!client.isAlive) this.#descriptor?.close();
    else if (mode === CloseMode.FLUSHED) this.#awaitRelease(client);
  }

  #awaitRelease(client: Client): void {
    this.#hold = new Hold(client.holds, this.#referenced);
    this.#hold.take();
  }

  #find(list: ReadyList): Registration | undefined {
    let each = this.#registration;
    while (each && each.list !== list) each = each.sibling;
    return each;
  }

  #openOn(client: Client, interest: number): void {
    const slot = client.allocate(this);
    this.#settle(client, slot, client.generation(slot));
    this.#submittedInterest = interest;
    client.lend(this.#descriptor as Descriptor, this);
    this.open(client, interest);
    client.flush();
  }

  #settle(client: Client, slot: number, generation: number): void {
    this.client = client;
    this.slot = slot;
    this.generation = generation;
  }

  /** Tells the I/O thread what anyone here is interested in, when that has changed. */
  #submitInterest(): void {
    let interest = 0;
    for (let each = this.#registration; each; each = each.sibling) interest |= each.interest;
    if (interest === this.#submittedInterest) return;
    this.#submittedInterest = interest;
    this.submit(Submission.INTEREST, interest);
  }
}
