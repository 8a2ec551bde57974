/** The measured numbers as text. */
import type { SubjectKind } from './messages.js';
import { type Phase, progress, type Result, type Times } from './results.js';

export const NAMES: Readonly<Record<SubjectKind, string>> = {
  sideport: 'sideport',
  net: 'node:net',
  'net-worker': 'node:net in a worker',
};

/** No line is longer. */
export const TABLE_COLUMNS = 79;

const BAR_CHARACTERS = 20;
const HEAD = [
  '                          accept delay         round trip',
  '                          p50       p99        p50       p99   messages   CPU',
];

/** The whole table; always the same number of lines. */
export function table(phases: readonly Phase[]): string[] {
  return [...HEAD, ...phases.flatMap((phase) => [heading(phase), ...kinds(phase).map((kind) => row(phase, kind))])];
}

/** One server's numbers as a line of its own, for output that is no terminal. */
export function plainLine(phase: Phase, kind: SubjectKind): string {
  const { accept, roundTrip } = phase.results[kind];
  return (
    `${seconds(phase).padStart(10)}  main ${phase.short.padEnd(8)}${NAMES[kind].padEnd(21)} accept ${pair(accept)}  ` +
    `round trip ${pair(roundTrip)}  ${roundTrip.count} messages`
  );
}

export function kinds(phase: Phase): SubjectKind[] {
  return Object.keys(phase.results) as SubjectKind[];
}

/** Three digits that count. */
export function ms(value: number | undefined): string {
  if (value === undefined) return '-';
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}

export function percent(part: number | undefined): string {
  return part === undefined ? '-' : `${(100 * part).toFixed(0)} %`;
}

function heading(phase: Phase): string {
  const done = Math.round(progress(phase) * BAR_CHARACTERS);
  return `${phase.title.padEnd(44)}[${'#'.repeat(done)}${'-'.repeat(BAR_CHARACTERS - done)}] ${seconds(phase)}`;
}

function seconds(phase: Phase): string {
  const total = phase.durationMs / 1000;
  return `${(progress(phase) * total).toFixed(1)}/${total.toFixed(1)} s`;
}

function row(phase: Phase, kind: SubjectKind): string {
  const result = phase.results[kind];
  const cells = [...bothOf(result.accept), ...bothOf(result.roundTrip)].map((text) => text.padStart(9));
  const [a, b, c, d] = cells;
  return `  ${NAMES[kind].padEnd(20)}${a} ${b}  ${c} ${d} ${messages(result)} ${percent(result.cpu).padStart(6)}`;
}

function messages({ roundTrip }: Result): string {
  return String(roundTrip.count).padStart(9);
}

function bothOf(times: Times): [string, string] {
  return [ms(times.percentile(0.5)), ms(times.percentile(0.99))];
}

function pair(times: Times): string {
  return bothOf(times).join(' / ');
}
