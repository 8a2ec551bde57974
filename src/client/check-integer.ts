/** The check of every whole number that a program gives. */
import { fail } from '../errors.js';

/**
 * @param what  names the number in the error, as the beginning of a sentence
 * @throws ERR_SIDEPORT_INVALID_ARG unless `value` is an integer from `least` to `most`
 */
export function checkInteger(what: string, value: unknown, least: number, most: number): asserts value is number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw fail('ERR_SIDEPORT_INVALID_ARG', `${what} is an integer from ${least} to ${most}, not ${String(value)}`);
}
