/**
 * The numbers of system errors by name, positive, as this platform's Node counts them. Not `os.constants.errno`: those are
 * C's, which on Windows are others than the `errno` of an error.
 */
import { getSystemErrorMap } from 'node:util';

export const errno = Object.fromEntries([...getSystemErrorMap()].map(([number, [name]]) => [name, -number])) as Record<
  ErrorName,
  number
>;

type ErrorName =
  | 'EADDRINUSE'
  | 'EALREADY'
  | 'EBADF'
  | 'ECANCELED'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EINVAL'
  | 'EMSGSIZE'
  | 'ENOBUFS'
  | 'ENOTCONN'
  | 'EPIPE';
