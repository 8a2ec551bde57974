/**
 * sideport: sockets served by an I/O thread; readiness events on every thread.
 */

export type { Lease } from './client/buffers/lease.js';
export { IoThread, type IoThreadOptions, type SharedIoThread } from './client/io-thread/io-thread.js';
export { Awakener, type AwakenerHandle, type SharedAwakener } from './client/polling/awakener.js';
export { type Event, Events, Ready } from './client/polling/events.js';
export { Interest, PollOpt } from './client/polling/interest.js';
export {
  type AttachedPoll,
  Poll,
  type PollHandle,
  type PollOptions,
  type SharedPoll,
  type WaitOptions,
} from './client/polling/poll.js';
export type { MovableSource } from './client/polling/poll-transfer.js';
export type { CustomSource, Registry } from './client/polling/registry.js';
export type { Endpoint } from './client/sources/address.js';
export type { ByteReader, ByteWriter } from './client/sources/byte-streams.js';
export { type ChannelOptions, channel, type Receiver, Sender, type SharedSender } from './client/sources/channel.js';
export { Datagram, type Received } from './client/sources/datagram.js';
export type { DatagramObject } from './client/sources/datagram-object.js';
export { ForeignStream } from './client/sources/foreign-stream.js';
export type { HalfObject, ReaderObject, WriterObject } from './client/sources/half-object.js';
export type { MovableStream } from './client/sources/movable-stream.js';
export type { Membership, Multicast } from './client/sources/multicast.js';
export { NamedPipe, type NamedPipeOptions, type PipeMode } from './client/sources/named-pipe.js';
export type { FlushingObject, SourceObject } from './client/sources/source-object.js';
export type { StreamObject } from './client/sources/stream-object.js';
export { TcpReader, TcpWriter } from './client/sources/tcp-halves.js';
export { type Accepted, type BindOptions, TcpListener } from './client/sources/tcp-listener.js';
export { TcpStream } from './client/sources/tcp-stream.js';
export { Timer } from './client/sources/timer.js';
export { type UdpBindOptions, UdpSocket } from './client/sources/udp-socket.js';
export { UnixDatagram } from './client/sources/unix-datagram.js';
export { UnixReader, UnixWriter } from './client/sources/unix-halves.js';
export { type UnixAccepted, UnixListener, type UnixListenerOptions } from './client/sources/unix-listener.js';
export { UnixStream } from './client/sources/unix-stream.js';
export { Registration, SetReadiness, type SharedSetReadiness } from './client/sources/user-readiness.js';
export { SideportError, type SideportErrorCode, type SystemError } from './errors.js';
export type { SocketAddress } from './protocol/address.js';
export type { IoThreadStats } from './protocol/control.js';
export type {
  DetachedPoll,
  DetachedStream,
  DetachedTimer,
  SharedListener,
  SharedUdpSocket,
  SharedUnixDatagram,
  SharedUnixListener,
  SplitStream,
} from './protocol/transfer.js';
