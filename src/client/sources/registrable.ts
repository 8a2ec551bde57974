/**
 * What everything that can be registered with a Poll has in common: its registrations, and an end.
 *
 * ```
 *   fresh ──first register──► tied to that Poll's I/O thread, for life ──close──► closed
 *     └──close──► closed
 * ```
 */
import { fail } from '../../errors.js';
import type { DetachedRegistration, DetachedSource } from '../../protocol/transfer.js';
import type { Client } from '../link/client.js';
import { type ReadinessSource, type ReadyList, Registration } from '../polling/registration.js';
import { SourceState } from './source-state.js';

export abstract class Registrable implements ReadinessSource {
  /** The public class's name, for warnings. */
  abstract get kind(): string;
  /** @internal Whose I/O thread this belongs to; undefined while fresh. */
  client: Client | undefined;
  /** @internal Bits of {@link SourceState}. */
  state = 0;
  /** Few, mostly one: linked through their `sibling`. */
  #registration: Registration | undefined;

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.is(SourceState.CLOSED);
  }

  /** @internal Whether a bit of the state is set. */
  is(bit: number): boolean {
    return (this.state & bit) !== 0;
  }

  abstract close(): void;

  /** @internal */
  abstract readiness(): number;

  /** @internal The first registration: ties this to `client`, or throws and changes nothing. */
  protected abstract attach(client: Client, interest: number): void;

  /** @internal What anyone here is interested in may have changed. */
  protected abstract interestChanged(interest: number): void;

  /** @internal @throws ERR_SIDEPORT_ALREADY_REGISTERED, ERR_SIDEPORT_OTHER_IO_THREAD, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_LIMIT */
  registerWith(client: Client, list: ReadyList, token: number, interest: number, options: number): void {
    this.checkOpen();
    if (this.client !== undefined && this.client !== client) throw fail('ERR_SIDEPORT_OTHER_IO_THREAD');
    if (find(this.#registration, list)) throw fail('ERR_SIDEPORT_ALREADY_REGISTERED');
    client.checkAlive();
    // Nothing is changed before the last thing that can fail.
    if (this.client === undefined) this.attach(client, interest);
    const registration = new Registration(this, list);
    registration.sibling = this.#registration;
    this.#registration = registration;
    registration.set(token, interest, options);
    this.interestChanged(interestOf(this.#registration));
  }

  /** @internal Registers what has just arrived with a Poll that moved, as it was there. @throws ERR_SIDEPORT_LIMIT */
  resumeWith(client: Client, list: ReadyList, was: DetachedRegistration): void {
    this.registerWith(client, list, was.token, was.interest, was.options);
    find(this.#registration, list)?.resume(was);
  }

  /** @internal */
  departure(): () => DetachedSource {
    if (this.#registration?.sibling) {
      throw fail('ERR_SIDEPORT_NOT_MOVABLE', `A ${this.kind} of this Poll is registered with another one as well`);
    }
    return this.leaving();
  }

  /** @internal What {@link departure} promises; of a source that may go. */
  protected leaving(): () => DetachedSource {
    throw fail('ERR_SIDEPORT_NOT_MOVABLE', `A ${this.kind} belongs to its thread, and keeps its Poll there`);
  }

  /** @internal Without options they stay as they were. @throws ERR_SIDEPORT_NOT_REGISTERED, ERR_SIDEPORT_CLOSED */
  reregisterWith(list: ReadyList, token: number, interest: number, options: number | undefined): void {
    this.checkOpen();
    const registration = find(this.#registration, list);
    if (!registration) throw fail('ERR_SIDEPORT_NOT_REGISTERED');
    registration.set(token, interest, options ?? registration.options);
    this.interestChanged(interestOf(this.#registration));
  }

  /** @internal @throws ERR_SIDEPORT_NOT_REGISTERED, ERR_SIDEPORT_CLOSED */
  deregisterFrom(list: ReadyList): void {
    this.checkOpen();
    const registration = find(this.#registration, list);
    if (!registration) throw fail('ERR_SIDEPORT_NOT_REGISTERED');
    this.forgetPoll(list);
    this.interestChanged(interestOf(this.#registration));
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

  /** @internal */
  checkOpen(): void {
    if (this.closed) throw fail('ERR_SIDEPORT_CLOSED');
  }

  /** @internal Tells every registration that these bits have changed. */
  raise(bits: number): void {
    for (let each = this.#registration; each; each = each.sibling) each.raise(bits);
  }

  /** @internal Closed from now on: no registration delivers any more. False if it was closed before. */
  protected endRegistrations(): boolean {
    if (this.closed) return false;
    this.state |= SourceState.CLOSED;
    for (let each = this.#registration; each; each = each.sibling) each.end();
    this.#registration = undefined;
    return true;
  }
}

// Functions, as a private method would cost each source a word.

function find(first: Registration | undefined, list: ReadyList): Registration | undefined {
  let each = first;
  while (each && each.list !== list) each = each.sibling;
  return each;
}

function interestOf(first: Registration | undefined): number {
  let interest = 0;
  for (let each = first; each; each = each.sibling) interest |= each.interest;
  return interest;
}
