/**
 * What every kind of source that the I/O thread serves has in common on the client's side: its slot, its descriptor, its end.
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

import type { Descriptor } from '../../native.js';
import { INTEREST_ALL } from '../../protocol/interest.js';
import { CloseMode } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import type { Client } from '../link/client.js';
import { Hold } from '../link/holds.js';
import type { SlotName, SlotOwner } from '../link/slots.js';
import { Registrable } from './registrable.js';
import { SourceState } from './source-state.js';

const NO_SLOT = -1;

/** What a source has only for some time of its life. */
interface Belongings {
  /** Its own, until the I/O thread adopts it. */
  readonly descriptor: Descriptor | undefined;
  /** Taken while it flushes after its close. */
  hold: Hold | undefined;
}

export abstract class Source extends Registrable implements SlotName, SlotOwner {
  /** @internal With `client` come slot and generation. */
  slot = NO_SLOT;
  generation = 0;
  #fd: number;
  /** An accepted connection that is open has none. */
  #belongings: Belongings | undefined;

  /** @internal Fresh with a descriptor of its own, or accepted: `fd` is the port's, the slot was lent before. */
  protected constructor(descriptor: Descriptor | undefined, fd: number, client?: Client, name?: SlotName) {
    super();
    if (descriptor) this.#belongings = { descriptor, hold: undefined };
    this.#fd = fd;
    this.client = client;
    if (!name) return;
    this.slot = name.slot;
    this.generation = name.generation;
  }

  /** Closes at once for the caller; what was written is still sent, for `lingerMs` at most. Idempotent. */
  close(): void {
    this.end(CloseMode.FLUSHED);
  }

  /** Closes and resets: what was written and not sent is dropped. Idempotent. */
  abort(): void {
    this.end(CloseMode.RESET);
  }

  /** @internal The I/O thread has something for this source; called while the event ring is drained. */
  abstract dispatch(kind: number, a: number, b: number): void;

  /** @internal Submits the opening of a fresh source in its new slot. */
  protected abstract open(client: Client, interest: number): void;

  /** @internal The last chance to give buffers back. */
  protected abstract ending(): void;

  /** Whether a flushing close keeps, or would keep, this thread alive. */
  get referenced(): boolean {
    return !this.is(SourceState.UNREFERENCED);
  }

  set referenced(referenced: boolean) {
    if (referenced) this.state &= ~SourceState.UNREFERENCED;
    else this.state |= SourceState.UNREFERENCED;
    const hold = this.#belongings?.hold;
    if (hold) hold.referenced = referenced;
  }

  /** @internal Called when the slot is the client's again. */
  released(): void {
    this.#belongings?.hold?.drop();
  }

  /** @internal The I/O thread has ended, or serves this thread no more. Nothing of a source that was closed remains. */
  goneWithIoThread(): void {
    this.#belongings?.hold?.drop();
    if (this.closed) this.#belongings?.descriptor?.close();
  }

  /** @internal Nothing is changed before the last thing that can fail. */
  protected attach(client: Client, interest: number): void {
    this.slot = client.allocate(this);
    this.generation = client.generation(this.slot);
    this.client = client;
    this.state |= interest << SourceState.INTEREST_SHIFT;
    const descriptor = this.#belongings?.descriptor;
    if (descriptor) client.lend(descriptor, this);
    this.open(client, interest);
    client.flush();
  }

  /** @internal Tells the I/O thread, when that is news. */
  protected interestChanged(interest: number): void {
    const submitted = (this.state >> SourceState.INTEREST_SHIFT) & INTEREST_ALL;
    if (interest === submitted) return;
    this.state ^= (interest ^ submitted) << SourceState.INTEREST_SHIFT;
    this.submit(Submission.INTEREST, interest);
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

  /** @internal Opens a fresh source on the I/O thread without registering it. Of another it is left alone. */
  protected openOn(client: Client): void {
    if (this.client === undefined) this.attach(client, 0);
  }

  /** @internal This thread's part is over; `heir` has the slot until it is released. The source was told to the I/O thread otherwise. */
  leave(heir: SlotOwner): void {
    const client = this.client as Client;
    this.endRegistrations();
    this.#fd = -1;
    client.transfer(this, heir);
  }

  /** @internal Submits for this source's slot. */
  submit(opcode: number, a = 0, b = 0): void {
    const client = this.client as Client;
    client.submit(opcode, this.slot, this.generation, a, b);
    client.flush();
  }

  /** @internal `opcode`: what is submitted, last of all. */
  protected end(mode: number, opcode: number = Submission.CLOSE): void {
    if (!this.endRegistrations()) return;
    const { client } = this;
    if (client === undefined) {
      this.#belongings?.descriptor?.close();
      return;
    }
    try {
      this.ending();
      // From here on the descriptor is the I/O thread's alone: it closes it, and the kernel reuses the number.
      this.#fd = -1;
      if (client.isAlive) this.submit(opcode, mode);
    } catch (error) {
      // Found gone at this very call; a close is content with that.
      if (client.isAlive) throw error;
    }
    // An I/O thread that ended before it adopted the descriptor has left it to us.
    if (!client.isAlive) this.#belongings?.descriptor?.close();
    else if (mode === CloseMode.FLUSHED) this.#belongings = flushing(client, this.referenced, this.#belongings);
  }
}

/** Until the slot is released. */
function flushing(client: Client, referenced: boolean, before: Belongings | undefined): Belongings {
  const hold = new Hold(client.waits.holds, referenced);
  hold.take();
  return { descriptor: before?.descriptor, hold };
}
