/**
 * What every kind of source on the I/O thread has in common: a name, an endpoint, a state machine.
 */
import type { Completion, EndpointOwner } from '../loop/port.js';

export interface Source extends EndpointOwner {
  readonly slot: number;
  readonly generation: number;
  /** Bits of `Interest`: what the client wants to hear of. */
  setInterest(interest: number): void;
  /** Begins the end; `mode` as in `CloseMode`. May be called again, RESET overrules FLUSHED. */
  close(mode: number): void;
  /** The client has ended; called before any of its sources is closed. */
  leave?(): void;
  completed(opcode: number, completion: Completion): void;
}
