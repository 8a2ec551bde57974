/** `TcpReader` and `TcpWriter`: the two directions of a TCP connection, each with an owner of its own. */
import type { SocketAddress } from '../../protocol/address.js';
import type { DetachedStream } from '../../protocol/transfer.js';
import { kSource } from '../link/handle.js';
import { ReaderObject, WriterObject } from './half-object.js';
import { HalfSource } from './half-source.js';

/** The reading half of a TCP connection. See {@link ReaderObject}; `TcpStream.split` makes its name. */
export class TcpReader extends ReaderObject<'TcpReader'> {
  /**
   * Takes over what `split`, or `detach` of a TcpReader, has let go of. It is registered nowhere.
   *
   * @param name  good for one attach
   * @throws ERR_SIDEPORT_TRANSFER_USED the second time, ERR_SIDEPORT_TRANSFER_EXPIRED after `transferTimeoutMs`,
   * ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT (the name stays good then), ERR_SIDEPORT_INVALID_ARG
   */
  static attach(name: DetachedStream<'TcpReader'>): TcpReader {
    return new TcpReader(HalfSource.reader(name, 'TcpReader'));
  }

  /** As it was when the stream was split. */
  localAddress(): SocketAddress {
    return this[kSource].ends.local as SocketAddress;
  }

  /** As it was when the stream was split. */
  peerAddress(): SocketAddress {
    return this[kSource].ends.peer as SocketAddress;
  }
}

/** The writing half of a TCP connection. See {@link WriterObject}; `TcpStream.split` makes its name. */
export class TcpWriter extends WriterObject<'TcpWriter'> {
  /**
   * Takes over what `split`, or `detach` of a TcpWriter, has let go of. It is registered nowhere.
   *
   * @param name  good for one attach
   * @throws ERR_SIDEPORT_TRANSFER_USED the second time, ERR_SIDEPORT_TRANSFER_EXPIRED after `transferTimeoutMs`,
   * ERR_SIDEPORT_IO_THREAD_GONE, ERR_SIDEPORT_LIMIT (the name stays good then), ERR_SIDEPORT_INVALID_ARG
   */
  static attach(name: DetachedStream<'TcpWriter'>): TcpWriter {
    return new TcpWriter(HalfSource.writer(name, 'TcpWriter'));
  }

  /** As it was when the stream was split. */
  localAddress(): SocketAddress {
    return this[kSource].ends.local as SocketAddress;
  }

  /** As it was when the stream was split. */
  peerAddress(): SocketAddress {
    return this[kSource].ends.peer as SocketAddress;
  }
}
