/**
 * sideport: sockets served by an I/O thread; readiness events on every thread.
 */

export type { Lease } from './client/buffers/lease.js';
export { IoThread, type IoThreadOptions, type SharedIoThread } from './client/io-thread/io-thread.js';
export { Awakener, type AwakenerHandle, type SharedAwakener } from './client/polling/awakener.js';
export { type Event, Events } from './client/polling/events.js';
export { Interest, PollOpt } from './client/polling/interest.js';
export { Poll, type PollHandle, type PollOptions, type SharedPoll, type WaitOptions } from './client/polling/poll.js';
export type { Registry } from './client/polling/registry.js';
export type { Endpoint } from './client/sources/address.js';
export { type Accepted, type BindOptions, TcpListener } from './client/sources/tcp-listener.js';
export { TcpStream } from './client/sources/tcp-stream.js';
export { SideportError, type SideportErrorCode, type SystemError } from './errors.js';
export type { SocketAddress } from './protocol/address.js';
export type { IoThreadStats } from './protocol/control.js';
export type { DetachedStream, SharedListener } from './protocol/transfer.js';
