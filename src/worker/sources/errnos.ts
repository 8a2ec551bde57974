/** The few system errors that the state machines tell apart, as Node's negative numbers on this platform. */
import { errnoOf } from '../../errors.js';

export const ECANCELED = errnoOf('ECANCELED');
export const ECONNABORTED = errnoOf('ECONNABORTED');
export const ECONNRESET = errnoOf('ECONNRESET');
export const ENOBUFS = errnoOf('ENOBUFS');
export const EMFILE = errnoOf('EMFILE');
export const ENFILE = errnoOf('ENFILE');
export const EPIPE = errnoOf('EPIPE');
export const ENOMEM = errnoOf('ENOMEM');
