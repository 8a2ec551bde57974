/** What a comparison shows: printed at once, and kept for the page and the file that a run leaves behind. */
import { verdict as verdictLine } from './format.js';
import { formatTable, type Row } from './table.js';

export interface Table {
  readonly kind: 'table';
  readonly head: Row;
  readonly rows: readonly Row[];
}

export interface Note {
  readonly kind: 'note';
  readonly text: string;
}

export interface Verdict {
  readonly kind: 'verdict';
  readonly what: string;
  readonly value: number;
  readonly bound: '<=' | '>=';
  readonly target: number;
  readonly unit: string;
  readonly met: boolean;
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

export type Entry = Table | Note | Verdict | Chart;

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

  /** A target that is an upper bound, or a lower one; told, never enforced. */
  verdict(what: string, value: number, bound: '<=' | '>=', target: number, unit = ''): void {
    console.log(verdictLine(what, value, bound, target, unit));
    const met = bound === '<=' ? value <= target : value >= target;
    this.entries.push({ kind: 'verdict', what, value, bound, target, unit, met });
  }

  /** Not printed: for the page. */
  chart(chart: Omit<Chart, 'kind' | 'logarithmic'> & { readonly logarithmic?: boolean }): void {
    this.entries.push({ kind: 'chart', logarithmic: false, ...chart });
  }
}
