/** What users can do with any datagram socket: receive, look, take, send. */
import type { SystemError } from '../../errors.js';
import { errnoOf, fail, systemError } from '../../errors.js';
import { type Destination, TO_PEER } from '../buffers/datagram-queue.js';
import { kSource } from '../link/handle.js';
import { copyDatagram, Datagram, type DecodeSource, type Received } from './datagram.js';
import type { DatagramSource } from './datagram-source.js';
import { FlushingObject } from './source-object.js';

const EMSGSIZE = errnoOf('EMSGSIZE');
const ENOTCONN = errnoOf('ENOTCONN');

/**
 * A socket of datagrams. It receives once it is registered for READABLE; what it receives is kept, whole and in order, while this thread
 * does other things, as far as the I/O thread's datagram buffers reach. It can send before it is registered, too.
 *
 * An error of the kernel that concerns datagrams sent before (nobody listens there) makes the socket *readable* with `isError`, and is thrown
 * once by whichever of the calls comes next, or given by {@link takeError}. It never stands for a datagram and ends nothing.
 */
export abstract class DatagramObject<Address> extends FlushingObject<DatagramSource> {
  readonly #decode: DecodeSource<Address>;

  /** @internal */
  protected constructor(source: DatagramSource, decode: DecodeSource<Address>) {
    super(source);
    this.#decode = decode;
  }

  /**
   * Copies the next datagram into `into`.
   *
   * @returns what it says of the datagram; null when there is none
   * @throws what the kernel reported of an earlier datagram, once; ERR_SIDEPORT_INVALID_ARG
   */
  recvFrom(into: Uint8Array): Received<Address> | null {
    const received = this.peekFrom(into);
    if (received) this[kSource].drop();
    return received;
  }

  /** As {@link recvFrom}, and the datagram stays the next one. */
  peekFrom(into: Uint8Array): Received<Address> | null {
    if (!(into instanceof Uint8Array)) {
      throw fail('ERR_SIDEPORT_INVALID_ARG', 'Expected a Uint8Array (a Buffer is one)');
    }
    const datagram = this[kSource].first();
    return datagram ? copyDatagram(datagram, into, this.#decode) : null;
  }

  /**
   * Copies the next datagram into `into` and says no more than its length.
   *
   * @returns bytes copied, 0 for an empty datagram; null when there is none
   * @throws EMSGSIZE when it was longer: what fits is in `into`, the rest is lost; as {@link recvFrom}
   */
  recv(into: Uint8Array): number | null {
    return lengthOf(this.recvFrom(into));
  }

  /** As {@link recv}, and the datagram stays the next one. */
  peek(into: Uint8Array): number | null {
    return lengthOf(this.peekFrom(into));
  }

  /**
   * The next datagram where it lies, without a copy. The reader owns its buffer until `release`.
   *
   * @returns a datagram on loan; null when there is none
   * @throws as {@link recvFrom}
   */
  take(): Datagram<Address> | null {
    return this[kSource].first() ? new Datagram(this[kSource].lend(), this.#decode) : null;
  }

  /**
   * Sends a datagram to the peer that `connect` named. It is taken whole or not at all; any number may be in flight.
   *
   * @returns its length; null when there is no room (wait for *writable*)
   * @throws EMSGSIZE for one that is too long, what the kernel reported of an earlier datagram, once, and ENOTCONN without a peer; what the
   * kernel says of this one once it is tried comes as the error of a later call
   */
  send(bytes: Uint8Array): number | null {
    if (!this.hasPeer) throw systemError('send', ENOTCONN);
    return this.sendVia(bytes, TO_PEER);
  }

  /** What the kernel reported, and forgets it; null if nothing. */
  takeError(): SystemError | null {
    return this[kSource].takeError();
  }

  /** @internal */
  protected hasPeer = false;

  /** @internal */
  protected sendVia(bytes: Uint8Array, destination: Destination): number | null {
    return this[kSource].send(bytes, destination);
  }
}

function lengthOf(received: Received<unknown> | null): number | null {
  if (received?.truncated) throw systemError('recv', EMSGSIZE);
  return received ? received.length : null;
}
