/** What users can do with a stream that moves between threads, besides: let go of it. */
import type { DetachedStream, StreamKind } from '../../protocol/transfer.js';
import type { IoThread } from '../io-thread/io-thread.js';
import { kSource } from '../link/handle.js';
import { StreamObject } from './stream-object.js';
import { clientToServe } from './stream-transfer.js';

export abstract class MovableStream<Kind extends StreamKind> extends StreamObject {
  /**
   * Lets go of this stream, in whatever state it is, for another thread to attach (its class's `attach`): unread data, accepted writes, options,
   * addresses, water marks, the ends of either direction and errors go along; nothing is lost, doubled or reordered. Its
   * registrations end, this object is closed. What nobody attaches within `transferTimeoutMs` is closed as by `close`.
   *
   * @param ioThread  which is to serve a stream that was never registered, and begins to connect by this. Default: this process's
   * @returns a name that passes through `postMessage` and `workerData` to threads of this process
   * @throws ERR_SIDEPORT_OTHER_IO_THREAD when another serves it, ERR_SIDEPORT_LEASE_HELD while a lease of it is not released, ERR_SIDEPORT_CLOSED, ERR_SIDEPORT_IO_THREAD_GONE
   */
  detach(ioThread?: IoThread): DetachedStream<Kind> {
    const source = this[kSource];
    return source.detach(clientToServe(source, ioThread)) as DetachedStream<Kind>;
  }
}
