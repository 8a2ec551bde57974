/** `UnixReader` and `UnixWriter`: the two directions of a Unix-domain stream, each with an owner of its own. */
import type { DetachedStream } from '../../protocol/transfer.js';
import { kSource } from '../link/handle.js';
import { ReaderObject, WriterObject } from './half-object.js';
import { HalfSource } from './half-source.js';

/** The reading half of a Unix-domain stream. See {@link ReaderObject}; `UnixStream.split` makes its name. */
export class UnixReader extends ReaderObject<'UnixReader'> {
  /**
   * Takes over what `split`, or `detach` of a UnixReader, has let go of. It is registered nowhere.
   *
   * @param name  good for one attach
   * @throws ERR_SIDEPORT_TRANSFER_USED the second time, ERR_SIDEPORT_TRANSFER_EXPIRED after `transferTimeoutMs`,
   * ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT (the name stays good then), ERR_SIDEPORT_INVALID_ARG
   */
  static attach(name: DetachedStream<'UnixReader'>): UnixReader {
    return new UnixReader(HalfSource.reader(name, 'UnixReader'));
  }

  /** The name that the stream was bound to; undefined for none. */
  localName(): string | undefined {
    return this[kSource].ends.local as string | undefined;
  }

  /** The peer's name; undefined if it has none. */
  peerName(): string | undefined {
    return this[kSource].ends.peer as string | undefined;
  }
}

/** The writing half of a Unix-domain stream. See {@link WriterObject}; `UnixStream.split` makes its name. */
export class UnixWriter extends WriterObject<'UnixWriter'> {
  /**
   * Takes over what `split`, or `detach` of a UnixWriter, has let go of. It is registered nowhere.
   *
   * @param name  good for one attach
   * @throws ERR_SIDEPORT_TRANSFER_USED the second time, ERR_SIDEPORT_TRANSFER_EXPIRED after `transferTimeoutMs`,
   * ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT (the name stays good then), ERR_SIDEPORT_INVALID_ARG
   */
  static attach(name: DetachedStream<'UnixWriter'>): UnixWriter {
    return new UnixWriter(HalfSource.writer(name, 'UnixWriter'));
  }

  /** The name that the stream was bound to; undefined for none. */
  localName(): string | undefined {
    return this[kSource].ends.local as string | undefined;
  }

  /** The peer's name; undefined if it has none. */
  peerName(): string | undefined {
    return this[kSource].ends.peer as string | undefined;
  }
}
