/** What several clients may have objects of, each in a slot of its own. */
import type { Session } from '../clients/session.js';

export interface Shareable {
  /** One more sharer, in a free slot. */
  join(session: Session, slot: number, generation: number): unknown;
}

/** The name of what its first sharer opened in this slot. */
export function sharedName(clientId: number, slot: number, generation: number): string {
  return `${clientId}/${slot}/${generation}`;
}
