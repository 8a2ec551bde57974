/** The halves of a stream that was split, each on its owner's thread: a stream that has one direction, and hears of nothing else. */
import type { DetachedStream, HalfKind, StreamEnds } from '../../protocol/transfer.js';
import type { Client } from '../link/client.js';
import type { SlotName } from '../link/slots.js';
import { Ready } from '../polling/events.js';
import { SourceState } from './source-state.js';
import { arrive } from './stream-move.js';
import { StreamSource } from './stream-source.js';

const OF_READER = Ready.READABLE | Ready.READ_CLOSED | Ready.ERROR;
const OF_WRITER = Ready.WRITABLE | Ready.WRITE_CLOSED | Ready.ERROR;

export class HalfSource extends StreamSource {
  readonly #ends: StreamEnds;
  /** Bits of {@link Ready} that are of its direction. */
  readonly #direction: number;

  /** Split off elsewhere, and ours if this does not throw. @throws as `attach` of the public classes */
  static reader<Kind extends HalfKind>(name: DetachedStream<Kind>, kind: Kind): HalfSource {
    return arrive(name, kind, (client, at) => new HalfSource(OF_READER, name, client, at));
  }

  /** As {@link reader}. */
  static writer<Kind extends HalfKind>(name: DetachedStream<Kind>, kind: Kind): HalfSource {
    return arrive(name, kind, (client, at) => new HalfSource(OF_WRITER, name, client, at));
  }

  private constructor(direction: number, { fd, ends }: DetachedStream<HalfKind>, client: Client, at: SlotName) {
    super(undefined, fd, client, at);
    this.#direction = direction;
    this.#ends = ends ?? { local: undefined, peer: undefined };
  }

  /** The stream's addresses when it was split. */
  get ends(): StreamEnds {
    this.checkOpen();
    return this.#ends;
  }

  /** Either half, once: the reader has nothing to write, and the writer may have ended writing. */
  override get hearsOfFailure(): boolean {
    return !this.is(SourceState.FAILED);
  }

  override readiness(): number {
    return super.readiness() & this.#direction;
  }

  override raise(bits: number): void {
    super.raise(bits & this.#direction);
  }

  protected override describeMore(): { ends: StreamEnds } {
    return { ends: this.#ends };
  }
}
