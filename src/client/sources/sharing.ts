/** A source that several threads have objects of, as each of them sees it: the name, and joining by it. */
import { offerDescriptor, wasAdopted } from '../../atomics/ownership.js';
import { fail } from '../../errors.js';
import { Submission } from '../../protocol/submissions.js';
import type { SharedKind, SharedSource } from '../../protocol/transfer.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { clientOf, DEPARTED, settleDescriptor } from './stream-transfer.js';

/** A slot of this thread that has joined. */
export interface Joined {
  readonly client: Client;
  readonly name: SlotName;
}

/** Makes the name of a source that is open, once the I/O thread has it. @throws ERR_SIDEPORT_IO_THREAD_GONE */
export function shareName<Kind extends SharedKind>(
  client: Client,
  { slot, generation }: SlotName,
  fd: number,
  kind: Kind,
): SharedSource<Kind> {
  settleDescriptor(client, { slot, generation });
  const { portId, clientId } = client;
  return { sideport: 'shared-source', kind, portId, clientId, slot, generation, fd };
}

/**
 * One more sharer, from a free slot; what comes for the slot is its caller's to take over. Blocks until the I/O thread has answered.
 *
 * @throws ERR_SIDEPORT_CLOSED when there is no sharer left, ERR_SIDEPORT_LIMIT, ERR_SIDEPORT_INVALID_ARG, ERR_SIDEPORT_IO_THREAD_GONE
 */
export function join(shared: SharedSource, kind: SharedKind): Joined {
  const client = clientOf(shared, 'shared-source', kind);
  const slot = client.allocate(DEPARTED);
  const name = { slot, generation: client.generation(slot) };
  offerDescriptor(client.words, slot, name.generation);
  client.submit(Submission.JOIN, slot, name.generation, shared.clientId, shared.slot, shared.generation);
  client.flush();
  settleDescriptor(client, name);
  if (!wasAdopted(client.words, slot, name.generation)) throw fail('ERR_SIDEPORT_CLOSED');
  return { client, name };
}
