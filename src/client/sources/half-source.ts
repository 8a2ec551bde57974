/** The halves of a stream that was split, each on its owner's thread: a stream that has one direction, and hears of nothing else. */
import type { DetachedStream, HalfKind } from '../../protocol/transfer.js';
import { Ready } from '../polling/events.js';
import { StreamSource } from './stream-source.js';

const OF_READER = Ready.READABLE | Ready.READ_CLOSED | Ready.ERROR;
const OF_WRITER = Ready.WRITABLE | Ready.WRITE_CLOSED | Ready.ERROR;

class ReaderSource extends StreamSource {
  override readiness(): number {
    return super.readiness() & OF_READER;
  }

  override raise(bits: number): void {
    super.raise(bits & OF_READER);
  }
}

class WriterSource extends StreamSource {
  override readiness(): number {
    return super.readiness() & OF_WRITER;
  }

  override raise(bits: number): void {
    super.raise(bits & OF_WRITER);
  }
}

/** Split off elsewhere, and ours if this does not throw. @throws as `attach` of the public classes */
export function attachReader<Kind extends HalfKind>(name: DetachedStream<Kind>, kind: Kind): StreamSource {
  return StreamSource.attached(name, kind, ReaderSource);
}

export function attachWriter<Kind extends HalfKind>(name: DetachedStream<Kind>, kind: Kind): StreamSource {
  return StreamSource.attached(name, kind, WriterSource);
}
