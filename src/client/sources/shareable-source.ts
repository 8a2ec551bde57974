/**
 * A source that several threads may have objects of, a listener or a datagram socket, on one of them: what each object is, how it is shared, and how it
 * moves with its Poll.
 */
import type { SystemError } from '../../errors.js';
import type { Descriptor } from '../../native.js';
import { CloseMode } from '../../protocol/port-records.js';
import { Submission } from '../../protocol/submissions.js';
import type { DetachedShared, SharedKind, SharedSource } from '../../protocol/transfer.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { detachedName, shareName } from './sharing.js';
import type { SocketFile } from './socket-file.js';
import { Source } from './source.js';

export abstract class ShareableSource<Kind extends SharedKind> extends Source {
  /** The public class's name. */
  readonly kind: Kind;
  /** Of a Unix socket that is bound to a path: the file that it made, or the sharer that made it. */
  file: SocketFile | undefined;
  protected error: SystemError | undefined;
  #name: SharedSource<Kind> | undefined;

  protected constructor(
    kind: Kind,
    descriptor: Descriptor | undefined,
    fd: number,
    client?: Client,
    name?: SlotName,
    shared?: SharedSource<Kind>,
  ) {
    super(descriptor, fd, client, name);
    this.kind = kind;
    this.#name = shared;
    // What comes for a slot that has joined is this object's from here on.
    if (client && shared) client.transfer(this, this);
  }

  share<Each extends Kind>(client: Client): SharedSource<Each> {
    this.checkOpen();
    this.openOn(client);
    client.checkAlive();
    this.#name ??= shareName(client, this, this.fd, this.kind);
    return this.#name as SharedSource<Each>;
  }

  takeError(): SystemError | null {
    const error = this.error ?? null;
    this.error = undefined;
    return error;
  }

  descriptor(): number {
    return this.fd;
  }

  /** @internal Whether other threads may have objects of it. */
  protected get isShared(): boolean {
    return this.#name !== undefined;
  }

  protected override leaving(): () => DetachedShared<Kind> {
    const client = this.client as Client;
    const name = { ...this.share<Kind>(client), file: this.file?.share() };
    return () => {
      const moved = detachedName(client, this, name, this.error);
      this.end(CloseMode.FLUSHED, Submission.DETACH_SHARED);
      return moved;
    };
  }
}
