/** A source that several threads have objects of, as each of them sees it: the name, and joining by it. */
import { offerDescriptor, wasAdopted } from '../../atomics/ownership.js';
import { fail, type SystemError } from '../../errors.js';
import { Submission } from '../../protocol/submissions.js';
import type { DetachedShared, SharedKind, SharedSource } from '../../protocol/transfer.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { clientOf, DEPARTED, describeError, settleDescriptor } from './stream-transfer.js';

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
  return enter(shared, kind, Submission.JOIN, shared) ?? gone('ERR_SIDEPORT_CLOSED');
}

/** As {@link join}, in the place of a sharer that has detached. @throws ERR_SIDEPORT_TRANSFER_EXPIRED, ERR_SIDEPORT_LIMIT, ERR_SIDEPORT_IO_THREAD_GONE */
export function arrive({ shared, kept }: DetachedShared, kind: SharedKind): Joined {
  return enter(shared, kind, Submission.ATTACH_SHARED, kept) ?? gone('ERR_SIDEPORT_TRANSFER_EXPIRED');
}

/** The name of a sharer that is about to detach. */
export function detachedName<Kind extends SharedKind>(
  { clientId }: Client,
  { slot, generation }: SlotName,
  shared: SharedSource<Kind>,
  error: SystemError | undefined,
): DetachedShared<Kind> {
  return { sideport: 'detached-shared', shared, kept: { clientId, slot, generation }, error: describeError(error) };
}

function gone(code: 'ERR_SIDEPORT_CLOSED' | 'ERR_SIDEPORT_TRANSFER_EXPIRED'): never {
  throw fail(code);
}

/** Undefined: there is nothing of that name. */
function enter(shared: SharedSource, kind: SharedKind, opcode: number, by: DetachedShared['kept']): Joined | undefined {
  const client = clientOf(shared, 'shared-source', kind);
  const slot = client.allocate(DEPARTED);
  const name = { slot, generation: client.generation(slot) };
  offerDescriptor(client.words, slot, name.generation);
  client.submit(opcode, slot, name.generation, by.clientId, by.slot, by.generation);
  client.flush();
  settleDescriptor(client, name);
  return wasAdopted(client.words, slot, name.generation) ? { client, name } : undefined;
}
