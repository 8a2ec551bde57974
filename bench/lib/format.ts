/** Numbers as the tables show them. */
import type { Summary } from './statistics.js';

/** Three significant digits or whole numbers, whichever is more. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}

export function range({ least, most }: Summary): string {
  return `${figure(least)}-${figure(most)}`;
}

export function times(ratio: number): string {
  return Number.isFinite(ratio) ? `x${ratio.toFixed(2)}` : '-';
}

/** A target that is an upper bound, or a lower one; printed, never enforced. */
export function verdict(what: string, value: number, bound: '<=' | '>=', target: number, unit = ''): string {
  const met = bound === '<=' ? value <= target : value >= target;
  return `target ${met ? 'met   ' : 'MISSED'}  ${what}: ${figure(value)}${unit} (${bound} ${target}${unit})`;
}
