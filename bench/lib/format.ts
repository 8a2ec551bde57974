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
