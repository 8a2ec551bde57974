/** From nothing to the first accepted connection, and what the second isolate and the shared memory take. */
import { startScript } from '../lib/children.js';
import type { Comparison } from '../lib/comparison.js';
import { figure, range } from '../lib/format.js';
import { interleave } from '../lib/rounds.js';
import { lines, nextLine } from '../lib/server.js';
import { median, summarize } from '../lib/statistics.js';
import type { Start } from './start.js';

const ROUNDS = { full: 21, quick: 7 };
const LIMIT_MS = 30_000;
const CASES = [
  { label: 'sideport', server: 'sideport' },
  { label: 'node:net', server: 'net' },
] as const;

export const startup: Comparison = {
  name: 'startup',
  summary: 'from new Poll() to the first accepted connection, and the memory that it takes',

  async run({ quick, report }) {
    const rounds = ROUNDS[quick ? 'quick' : 'full'];
    report.note(`medians of ${rounds} processes`);
    const results = await interleave('startup', CASES, rounds, ({ server }) => startOnce(server));
    report.table(
      ['', 'new Poll(), ms', 'first connection, ms', 'range', 'resident, MiB'],
      CASES.map((each) => {
        const starts = results.get(each) ?? [];
        const acceptedMs = summarize(starts.map((start) => start.acceptedMs));
        return [
          each.label,
          each.server === 'net' ? '-' : figure(median(starts.map((start) => start.pollMs))),
          figure(acceptedMs.median),
          range(acceptedMs),
          figure(median(starts.map((start) => start.residentBytes)) / 2 ** 20),
        ];
      }),
    );
  },
};

async function startOnce(server: string): Promise<Start> {
  const child = startScript(new URL('./child.js', import.meta.url), [server], { limitMs: LIMIT_MS });
  return JSON.parse(await nextLine(lines(child), child)) as Start;
}
