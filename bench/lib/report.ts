/** What a comparison shows: printed at once, and kept for the page and the file that a run leaves behind. */
import type { Target } from '../targets.js';
import type { Summary } from './statistics.js';
import { formatTable, type Row } from './table.js';
import { judge, type Verdict, verdictRow } from './verdict.js';

export interface Table {
  readonly kind: 'table';
  readonly head: Row;
  readonly rows: readonly Row[];
}

export interface Note {
  readonly kind: 'note';
  readonly text: string;
}

export interface Series {
  readonly label: string;
  /** One value per label of the axis; null where nothing was measured. */
  readonly values: readonly (number | null)[];
  /** Bars of one stack stand on one another. */
  readonly stack?: string;
}

export interface Chart {
  readonly kind: 'chart';
  readonly title: string;
  readonly shape: 'line' | 'bar';
  readonly axis: string;
  readonly labels: readonly string[];
  readonly unit: string;
  readonly logarithmic: boolean;
  readonly series: readonly Series[];
}

/** What was measured, case by case, one value per round: for the file alone. */
export interface Data {
  readonly kind: 'data';
  readonly title: string;
  readonly cases: readonly { readonly label: string; readonly rounds: readonly unknown[] }[];
}

export type Entry = Table | Note | Verdict | Chart | Data;

/** One comparison's part of a run. */
export class Report {
  readonly name: string;
  readonly summary: string;
  readonly entries: Entry[] = [];

  constructor(name: string, summary: string) {
    this.name = name;
    this.summary = summary;
    console.log(`== ${name}: ${summary}\n`);
  }

  note(text: string): void {
    console.log(`${text}\n`);
    this.entries.push({ kind: 'note', text });
  }

  table(head: Row, rows: readonly Row[]): void {
    console.log(`${formatTable(head, rows)}\n`);
    this.entries.push({ kind: 'table', head, rows });
  }

  /** Met or missed: told, never enforced. `detail`: which of several cases it was. */
  verdict(target: Target, measured: Summary, detail?: string): void {
    const verdict = judge(target, measured, detail);
    const [what, value, range, aim, outcome] = verdictRow(verdict);
    console.log(`target ${outcome}: ${what}: ${value} (${range}; ${aim})`);
    this.entries.push(verdict);
  }

  /** Not printed: for the page. */
  chart(chart: Omit<Chart, 'kind' | 'logarithmic'> & { readonly logarithmic?: boolean }): void {
    this.entries.push({ kind: 'chart', logarithmic: false, ...chart });
  }

  /** Neither printed nor on the page. */
  data(title: string, results: ReadonlyMap<{ readonly label: string }, readonly unknown[]>): void {
    this.entries.push({ kind: 'data', title, cases: [...results].map(([{ label }, rounds]) => ({ label, rounds })) });
  }
}
