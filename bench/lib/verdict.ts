/** Whether a target was met. */
import type { Target } from '../targets.js';
import { figure } from './format.js';
import type { Summary } from './statistics.js';

export type Outcome = 'met' | 'missed' | 'not measured';

export interface Verdict {
  readonly kind: 'verdict';
  readonly target: Target;
  /** Undefined where nothing was measured. */
  readonly measured: Summary | undefined;
  readonly outcome: Outcome;
  /** Which of several cases it was, if that matters. */
  readonly detail: string;
}

export function judge(target: Target, measured?: Summary, detail = ''): Verdict {
  if (!measured || !Number.isFinite(measured.median)) {
    return { kind: 'verdict', target, measured: undefined, outcome: 'not measured', detail };
  }
  const met = target.bound === '<=' ? measured.median <= target.value : measured.median >= target.value;
  return { kind: 'verdict', target, measured, outcome: met ? 'met' : 'missed', detail };
}

/** What, measured, range, target, outcome: the columns in which verdicts are shown. */
export const VERDICT_HEAD = ['target', 'measured', 'range', 'aim', 'outcome'] as const;

export function verdictRow({ target, measured, outcome, detail }: Verdict): string[] {
  const { comparison, what, bound, value, unit } = target;
  return [
    `${comparison}: ${what}${detail === '' ? '' : ` (${detail})`}`,
    measured ? `${figure(measured.median)}${unit}` : '-',
    measured ? `${figure(measured.least)}-${figure(measured.most)}` : '-',
    `${bound} ${value}${unit}`,
    outcome === 'missed' ? 'MISSED' : outcome,
  ];
}

/** A verdict for each target of the comparisons that ran, in the order of the targets, measured or not. */
export function summary(
  targets: readonly Target[],
  comparisons: readonly string[],
  verdicts: readonly Verdict[],
): Verdict[] {
  return targets
    .filter(({ comparison }) => comparisons.includes(comparison))
    .map((target) => verdicts.find((verdict) => verdict.target === target) ?? judge(target));
}

export function count(verdicts: readonly Verdict[]): string {
  const of = (outcome: Outcome) => verdicts.filter((verdict) => verdict.outcome === outcome).length;
  const unmeasured = of('not measured');
  return `${of('met')} met, ${of('missed')} missed${unmeasured === 0 ? '' : `, ${unmeasured} not measured`}`;
}
