/**
 * `SIDEPORT_DEBUG=leases`: finds who uses bytes after their release, and who never releases. Costs a stack trace per
 * lease, so it is for hunting, not for service.
 */
import type { ReceivedData } from './received-data.js';

/** Released buffers are filled with it before they are used again: bytes that show it were read too late. */
const FILLER = 0xdb;

const enabled = (process.env.SIDEPORT_DEBUG ?? '').split(',').includes('leases');

const forgotten = new FinalizationRegistry<LeaseTrace>((trace) => {
  // Its stream has ended, and all its leases with it.
  if (trace.isOver()) return;
  process.emitWarning(`A lease was collected without having been released.\n${trace.taken.stack}`, 'SideportWarning');
});

/** What is remembered of one lease. */
export class LeaseTrace {
  readonly isOver: () => boolean;
  /** Where it was taken. */
  readonly taken = new Error('The lease was taken here');
  #released: Error | undefined;

  private constructor(isOver: () => boolean) {
    this.isOver = isOver;
    // Formatted at once: until then V8 keeps the frames, and in them the lease whose collection is to be noticed.
    void this.taken.stack;
  }

  /** Undefined unless debugging is on. */
  static of(lease: object, received: ReceivedData, chunk: number): LeaseTrace | undefined {
    if (!enabled) return undefined;
    const version = received.version(chunk);
    const trace = new LeaseTrace(() => received.version(chunk) !== version);
    // The buffer of a forgotten lease stays held until its stream is closed: views of the bytes may outlive the lease.
    forgotten.register(lease, trace, trace);
    return trace;
  }

  /** Called while the bytes are still the reader's. */
  release(bytes: Uint8Array): void {
    this.#released = new Error('The lease was released here', { cause: this.taken });
    bytes.fill(FILLER);
    forgotten.unregister(this);
  }

  /** The cause of a use after the release. */
  get cause(): Error {
    return this.#released ?? this.taken;
  }
}
