/**
 * Every error that sideport throws.
 *
 * Misuse and limits are `SideportError`s with a stable `code`. `instanceof` works across threads' copies and duplicate
 * installations, by a brand on the prototype. What the operating system refuses comes as an ordinary `Error` in the
 * shape that Node gives its own: `code`, `errno`, `syscall`, `address`, `port`.
 */
import { getSystemErrorMap } from 'node:util';

const brand = Symbol.for('sideport.error');

/** The code of each misuse or limit, with the message it has when no better one is given. */
const messages = {
  ERR_SIDEPORT_ALREADY_REGISTERED: 'The source is already registered with this Poll',
  ERR_SIDEPORT_NOT_REGISTERED: 'The source is not registered with this Poll',
  ERR_SIDEPORT_OTHER_IO_THREAD: 'The source belongs to another IoThread',
  ERR_SIDEPORT_INVALID_ARG: 'An argument is invalid',
  ERR_SIDEPORT_INVALID_ADDRESS: 'The host is not an IP address',
  ERR_SIDEPORT_CLOSED: 'The object is closed, or was detached',
  ERR_SIDEPORT_LEASE_HELD: 'The stream has leases that are not released',
  ERR_SIDEPORT_LEASE_RELEASED: 'The lease has been released; its bytes may hold other data by now',
  ERR_SIDEPORT_POLL_BUSY: 'The Poll is being waited on',
  ERR_SIDEPORT_LIMIT: 'A limit of the I/O thread is reached',
  ERR_SIDEPORT_IO_THREAD_GONE: 'The I/O thread has ended',
  ERR_SIDEPORT_DETACHED: 'The I/O thread detached this thread because its submissions were corrupt',
  ERR_SIDEPORT_START_FAILED: 'The I/O thread could not be started',
  ERR_SIDEPORT_BACKEND: 'The requested backend is not available',
  ERR_SIDEPORT_PERMISSION: "Node's permission model denies sideport a worker thread or its addon",
  ERR_SIDEPORT_NOT_MOVABLE: 'The source belongs to its thread for life',
  ERR_SIDEPORT_TRANSFER_USED: 'What was detached has been attached already',
  ERR_SIDEPORT_TRANSFER_EXPIRED: 'What was detached was not attached in time, and is closed',
  ERR_SIDEPORT_UNSUPPORTED: 'This system has no such thing',
  ERR_SIDEPORT_TIMEOUT: 'The I/O thread did not answer in time',
} as const;

export type SideportErrorCode = keyof typeof messages;

/** The codes, for the table test and for `switch`es. */
export const errorCodes = Object.keys(messages) as readonly SideportErrorCode[];

/** A misuse of sideport, a limit reached, or the end of an I/O thread. */
export class SideportError extends Error {
  readonly code: SideportErrorCode;

  constructor(code: SideportErrorCode, message: string = messages[code], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  override get name(): string {
    return 'SideportError';
  }

  get [brand](): true {
    return true;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value;
  }
}

/** Shorthand for throwing: `throw fail('ERR_SIDEPORT_CLOSED')`. */
export function fail(code: SideportErrorCode, message?: string, options?: ErrorOptions): SideportError {
  return new SideportError(code, message, options);
}

/** An error of the operating system in Node's shape. */
export interface SystemError extends Error {
  /** `'ECONNREFUSED'` */
  code: string;
  /** Node's negative number for it. */
  errno: number;
  /** `'connect'` */
  syscall: string;
  address?: string;
  port?: number;
}

/** Builds what `node:net` would have thrown. `errno` is negative. */
export function systemError(
  syscall: string,
  errno: number,
  remote?: { readonly address: string; readonly port: number },
): SystemError {
  const [code, text] = getSystemErrorMap().get(errno) ?? [`Unknown system error ${errno}`, 'unknown error'];
  // As Node does: port 0 is none.
  const where = remote ? ` ${remote.address}${remote.port > 0 ? `:${remote.port}` : ''}` : '';
  // Of all network calls Node explains the code for `listen` alone.
  const explained = syscall === 'listen' ? `${code}: ${text}` : code;
  const error = new Error(`${syscall} ${explained}${where}`) as SystemError;
  error.errno = errno;
  error.code = code;
  error.syscall = syscall;
  if (remote) {
    error.address = remote.address;
    if (remote.port > 0) error.port = remote.port;
  }
  return error;
}

/** Node's negative errno of a system error's code; the same table that {@link systemError} reads. */
export function errnoOf(code: string): number {
  numbers ??= new Map(Array.from(getSystemErrorMap(), ([errno, [name]]) => [name, errno]));
  const errno = numbers.get(code);
  if (errno === undefined) throw new RangeError(`no system error is called ${code}`);
  return errno;
}

let numbers: Map<string, number> | undefined;
