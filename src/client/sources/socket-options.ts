/** Results of synchronous socket calls. */
import { systemError } from '../../errors.js';

/** Passes a result on, or throws the error that a negative one stands for. */
export function setOption(syscall: 'setsockopt' | 'getsockopt', result: number): number {
  if (result < 0) throw systemError(syscall, result);
  return result;
}
