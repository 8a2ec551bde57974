/** How long a process takes to end, by every path, with an idle I/O thread or open sockets. */
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, range } from '../lib/format.js';
import { interleave } from '../lib/rounds.js';
import { median, summarize } from '../lib/statistics.js';
import type { Row } from '../lib/table.js';
import { type Ending, observe } from './observe.js';
import { casesOf, type ExitCase } from './paths.js';

const ROUNDS = 11;
const ROUNDS_QUICK = 3;
const TARGET_MS = 200;

export const exit: Comparison = {
  name: 'exit',
  summary: 'process end after each exit path, in milliseconds, against the same child without sideport',

  async run({ quick, report }) {
    const rounds = quick ? ROUNDS_QUICK : ROUNDS;
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds`);
    const cases = casesOf();
    const results = await interleave('exit', cases, rounds, observe);
    const measured = cases.filter(({ library }) => library === 'sideport');
    report.table(
      ['path', 'situation', 'sideport', 'range', 'terminate()', 'plain', 'range', 'terminate()'],
      measured.map((each) => row(each, results)),
    );
    const medians = measured.map((each) => median((results.get(each) ?? []).map(({ totalMs }) => totalMs)));
    const worst = Math.max(...medians);
    const slowest = measured[medians.indexOf(worst)]?.label ?? '';
    report.verdict(`slowest path, ${slowest}`, worst, '<=', TARGET_MS, ' ms');
  },
};

function row(each: ExitCase, results: Map<ExitCase, Ending[]>): Row {
  const { path, situation } = each;
  const plain = [...results.keys()].find(
    (other) => other.library === 'plain' && other.path === path && other.situation === situation,
  );
  return [path, situation, ...columns(results.get(each)), ...columns(plain && results.get(plain))];
}

function columns(endings: readonly Ending[] = []): Row {
  const total = summarize(endings.map(({ totalMs }) => totalMs));
  const terminate = endings.map(({ terminateMs }) => terminateMs ?? Number.NaN);
  return [figure(total.median), range(total), figure(median(terminate))];
}
