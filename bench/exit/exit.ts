/** How long a process takes to end, by every path, with an idle I/O thread or open sockets. */
import { backendName } from '../lib/backend.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, range } from '../lib/format.js';
import { interleave } from '../lib/rounds.js';
import { median, summarize } from '../lib/statistics.js';
import type { Row } from '../lib/table.js';
import { TARGETS } from '../targets.js';
import { type Ending, observe } from './observe.js';
import { casesOf, type ExitCase, PATHS, SITUATIONS } from './paths.js';

const FULL = { rounds: 11, situations: SITUATIONS };
const QUICK = { rounds: 1, situations: ['sockets'] } as const;

export const exit: Comparison = {
  name: 'exit',
  summary: 'process end after each exit path, in milliseconds, against the same child without sideport',

  async run({ quick, report }) {
    const { rounds, situations } = quick ? QUICK : FULL;
    report.note(`backend ${await backendName()}, medians of ${rounds} rounds`);
    const cases = casesOf(PATHS, situations);
    const results = await interleave('exit', cases, rounds, observe);
    const measured = cases.filter(({ library }) => library === 'sideport');
    report.table(
      ['path', 'situation', 'sideport', 'range', 'terminate()', 'plain', 'range', 'terminate()'],
      measured.map((each) => row(each, results)),
    );
    const totals = measured.map(({ label }, at) => ({
      label,
      ms: summarize((results.get(measured[at] as ExitCase) ?? []).map(({ totalMs }) => totalMs)),
    }));
    const slowest = totals.reduce((worst, each) => (each.ms.median > worst.ms.median ? each : worst));
    report.verdict(TARGETS.exit, slowest.ms, slowest.label);
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
