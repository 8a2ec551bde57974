/** The page and the file that a run leaves in `bench/report`: the same tables, targets and charts, to look at and to compute with. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explanation } from './explanations.js';
import type { Chart, Entry, Report, Table } from './report.js';
import { count, VERDICT_HEAD, type Verdict, verdictRow } from './verdict.js';

const FOLDER = fileURLToPath(new URL('../../../bench/report/', import.meta.url));

export interface Run {
  /** ISO 8601. */
  readonly date: string;
  readonly node: string;
  readonly platform: string;
  readonly kernel: string;
  readonly cores: number;
  readonly cpu: string;
  readonly backend: string;
  readonly quick: boolean;
  /** Of the machine, before the run. */
  readonly load: number;
}

/** Returns the page's path. `verdicts`: of all reports. */
export function writeReport(run: Run, reports: readonly Report[], verdicts: readonly Verdict[]): string {
  mkdirSync(FOLDER, { recursive: true });
  const page = join(FOLDER, 'index.html');
  writeFileSync(page, html(run, reports, verdicts));
  writeFileSync(join(FOLDER, 'report.json'), `${JSON.stringify({ run, verdicts, reports }, undefined, 2)}\n`);
  return page;
}

function html(run: Run, reports: readonly Report[], verdicts: readonly Verdict[]): string {
  const charts: Chart[] = [];
  const sections = reports.map(({ name, summary, entries }) => {
    const verdicts = entries.filter((entry) => entry.kind === 'verdict');
    const body = entries.map((entry) => render(entry, charts)).join('\n');
    return `<section id="${escaped(name)}"><h2>${escaped(name)}</h2><p>${escaped(summary)}</p>\n${body}${verdictTable(verdicts)}${explanations(verdicts)}</section>`;
  });
  const facts = Object.entries(run).map(([what, value]) => `<dt>${what}</dt><dd>${escaped(String(value))}</dd>`);
  const contents = reports.map(({ name }) => `<a href="#${escaped(name)}">${escaped(name)}</a>`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>sideport benchmarks</title>
<style>${STYLE}</style>
<h1>sideport benchmarks</h1>
<dl>${facts.join('')}</dl>
<nav>${contents.join(' ')}</nav>
<h2>Targets: ${count(verdicts)}</h2>
${verdictTable(verdicts)}
${sections.join('\n')}
<script>${library()}</script>
<script>
const charts = ${JSON.stringify(charts).replaceAll('<', '\\u003c')};
${DRAW}
</script>
`;
}

function render(entry: Entry, charts: Chart[]): string {
  switch (entry.kind) {
    case 'note':
      return `<p class="note">${escaped(entry.text)}</p>`;
    case 'table':
      return table(entry);
    case 'verdict': // All of them together, at the section's end.
    case 'data':
      return '';
    case 'chart':
      charts.push(entry);
      return `<figure><figcaption>${escaped(entry.title)}</figcaption><canvas></canvas></figure>`;
  }
}

function table({ head, rows }: Table): string {
  const body = rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n');
  return `<table><thead><tr>${cells(head, 'th')}</tr></thead><tbody>${body}</tbody></table>`;
}

function verdictTable(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return '';
  const row = (verdict: Verdict) => `<tr class="${verdict.outcome}">${cells(verdictRow(verdict), 'td')}</tr>`;
  return `<table><thead><tr>${cells(VERDICT_HEAD, 'th')}</tr></thead><tbody>${verdicts.map(row).join('\n')}</tbody></table>`;
}

/** For each that was missed, once. */
function explanations(verdicts: readonly Verdict[]): string {
  const missed = verdicts.flatMap(({ outcome, target: { why } }) => (outcome === 'missed' && why ? [why] : []));
  return [...new Set(missed)]
    .map((why) => `<details><summary>${escaped(why)}</summary><pre>${escaped(explanation(why))}</pre></details>`)
    .join('');
}

function cells(row: readonly string[], tag: string): string {
  return row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** In the page itself, so that it can be sent around. */
function library(): string {
  const entry = createRequire(import.meta.url).resolve('chart.js');
  return readFileSync(join(dirname(entry), 'chart.umd.min.js'), 'utf8').replaceAll('</script', '<\\/script');
}

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; } dt { color: #777; } dd { margin: 0; }
nav a { margin-right: 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .6rem; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
details { margin: .5rem 0; } pre { white-space: pre-wrap; font-size: 13px; }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; }
.met td:last-child { color: #16701f; } .missed td:last-child { color: #a02c1c; font-weight: 600; } .note { color: #555; white-space: pre-line; }
`;

const DRAW = `
const colours = ['#1f6fb4', '#d9722e', '#3f9b4f', '#b03a8c', '#7a6bd0', '#a8832a', '#4aa6b0', '#888888', '#c23b3b', '#222222'];
document.querySelectorAll('canvas').forEach((canvas, at) => {
  const { shape, axis, labels, unit, logarithmic, series } = charts[at];
  const stacked = series.some(({ stack }) => stack !== undefined);
  new Chart(canvas, {
    type: shape,
    data: {
      labels,
      datasets: series.map(({ label, values, stack }, index) => ({
        label, data: values, stack, backgroundColor: colours[index % 10], borderColor: colours[index % 10], borderWidth: 2, pointRadius: 3,
      })),
    },
    options: {
      animation: false,
      scales: {
        x: { stacked, title: { display: axis !== '', text: axis } },
        y: { stacked, type: logarithmic ? 'logarithmic' : 'linear', title: { display: true, text: unit } },
      },
    },
  });
});
`;
