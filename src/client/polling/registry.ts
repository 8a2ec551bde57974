/** `Registry`: which sources a Poll hears of. */

import type { Client } from '../link/client.js';
import { kSource, type SourceHandle, sourceOf } from '../link/handle.js';
import type { Registrable } from '../sources/registrable.js';
import { checkInterest, checkOptions, checkToken, PollOpt } from './interest.js';
import type { ReadyList } from './registration.js';

/**
 * A source of one's own, made of others: what `register` and the rest are called with is passed on to them. It is told by these methods, and
 * may do anything in them that a program may do with a registry.
 */
export interface CustomSource {
  register(registry: Registry, token: number, interest: number, options: number): void;
  /** Without options those given before hold. */
  reregister(registry: Registry, token: number, interest: number, options: number | undefined): void;
  deregister(registry: Registry): void;
}

/** The sources registered with one Poll. Belongs to the Poll's thread. */
export class Registry {
  /** @internal */
  readonly client: Client;
  /** @internal */
  readonly list: ReadyList;
  readonly #checkOpen: () => void;

  /** @internal */
  constructor(client: Client, list: ReadyList, checkOpen: () => void) {
    this.client = client;
    this.list = list;
    this.#checkOpen = checkOpen;
  }

  /**
   * Hears of `source` from now on; if the interest is satisfied already, the next poll says so. The first registration ties
   * the source to this Poll's I/O thread, and starts a `connect`. A source may be registered with several Polls of its thread:
   * readiness goes to all, data is consumed once.
   *
   * @param token  any integer from 0 to 2^32-1; comes back in the events
   * @param interest  bits of `Interest`
   * @param options  bits of `PollOpt`; EDGE when omitted
   * @throws ERR_SIDEPORT_ALREADY_REGISTERED, ERR_SIDEPORT_OTHER_IO_THREAD, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_LIMIT,
   * ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_IO_THREAD_GONE
   */
  register(source: SourceHandle | CustomSource, token: number, interest: number, options: number = PollOpt.EDGE): void {
    if (isCustom(source)) return source.register(this, token, interest, options);
    const inner = this.#check(source, token, interest, options);
    inner.registerWith(this.client, this.list, token, interest, options);
  }

  /**
   * Replaces token, interest and options at once, also for an event that is under way, and arms a oneshot again. If the new
   * interest is satisfied already, the next poll says so.
   *
   * @param options  bits of `PollOpt`; when omitted they stay what they were
   * @throws as {@link register}, and ERR_SIDEPORT_NOT_REGISTERED
   */
  reregister(source: SourceHandle | CustomSource, token: number, interest: number, options?: number): void {
    if (isCustom(source)) return source.reregister(this, token, interest, options);
    this.#check(source, token, interest, options).reregisterWith(this.list, token, interest, options);
  }

  /**
   * No poll from now on delivers an event of this registration, also none that is under way. Unread data and accepted
   * writes stay; the source may be registered again.
   *
   * @throws ERR_SIDEPORT_NOT_REGISTERED, ERR_SIDEPORT_CLOSED
   */
  deregister(source: SourceHandle | CustomSource): void {
    if (isCustom(source)) return source.deregister(this);
    sourceOf(source).deregisterFrom(this.list);
  }

  /** @internal The Poll closes. */
  end(): void {
    while (this.list.newest) this.list.newest.source.forgetPoll(this.list);
  }

  #check(source: SourceHandle, token: number, interest: number, options = 0): Registrable {
    this.#checkOpen();
    const inner = sourceOf(source);
    checkToken(token);
    checkInterest(interest);
    checkOptions(options);
    return inner;
  }
}

function isCustom(source: SourceHandle | CustomSource): source is CustomSource {
  if (typeof source !== 'object' || source === null || kSource in source) return false;
  return typeof (source as Partial<CustomSource>).register === 'function';
}
