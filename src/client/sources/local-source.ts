/**
 * A source that no kernel knows: its readiness is set by programs, through shared memory, without the I/O thread. It hears signals
 * (atomics/signal.ts) from its creation to its end.
 */
import type { Client } from '../link/client.js';
import type { SignalListener } from '../link/signals.js';
import { Registrable } from './registrable.js';

export abstract class LocalSource extends Registrable implements SignalListener {
  /** Whose thread's signals it hears. */
  protected readonly owner: Client;

  /** @throws ERR_SIDEPORT_IO_THREAD_GONE */
  protected constructor(owner: Client) {
    super();
    owner.checkAlive();
    this.owner = owner;
    this.client = owner;
    owner.signals.add(this);
  }

  abstract look(): void;

  close(): void {
    if (this.endRegistrations()) this.owner.signals.remove(this);
  }

  protected attach(): void {}
  protected interestChanged(): void {}
}
