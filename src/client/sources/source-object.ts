/** What the public objects of most kinds of sources have in common. */
import { kSource, reclaim, type SourceHandle } from '../link/handle.js';
import type { Registrable } from './registrable.js';
import type { Source } from './source.js';

/** A source. Belongs to the thread that made it. Every method may throw ERR_SIDEPORT_CLOSED after `close`. */
export abstract class SourceObject<Inner extends Registrable> implements SourceHandle {
  /** @internal */
  readonly [kSource]: Inner;

  /** @internal */
  protected constructor(source: Inner) {
    this[kSource] = source;
    reclaim(this, source);
  }

  /** Closes, and ends its registrations; what was accepted for sending is still sent. Idempotent. */
  close(): void {
    this[kSource].close();
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this[kSource].closed;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** One whose close takes its time: up to `lingerMs`, for what was accepted for sending. */
export abstract class FlushingObject<Inner extends Source> extends SourceObject<Inner> {
  /** A close that is under way keeps this thread alive again. Undoes {@link unref}. */
  ref(): this {
    this[kSource].referenced = true;
    return this;
  }

  /** A close that is under way no longer keeps this thread alive. */
  unref(): this {
    this[kSource].referenced = false;
    return this;
  }

  /** Whether a close under way keeps, or would keep, this thread alive. Nothing else of a source does. */
  hasRef(): boolean {
    return this[kSource].referenced;
  }
}
