/**
 * sideport: sockets served by an I/O thread; readiness events on every thread.
 */

export type { Endpoint } from './client/address.js';
export { Awakener, type AwakenerHandle, type SharedAwakener } from './client/awakener.js';
export { type Event, Events } from './client/events.js';
export { Interest, PollOpt } from './client/interest.js';
export { IoThread, type IoThreadOptions, type SharedIoThread } from './client/io-thread.js';
export type { Lease } from './client/lease.js';
export { Poll, type PollHandle, type PollOptions, type SharedPoll, type WaitOptions } from './client/poll.js';
export type { Registry } from './client/registry.js';
export { type Accepted, type BindOptions, TcpListener } from './client/tcp-listener.js';
export { TcpStream } from './client/tcp-stream.js';
export { SideportError, type SideportErrorCode, type SystemError } from './errors.js';
export type { SocketAddress } from './protocol/address.js';
export type { IoThreadStats } from './protocol/control.js';
