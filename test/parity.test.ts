/** docs/parity.md names tests that exist, and gives a reason for what is absent. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { errorCodes } from '../src/errors.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(join(root, 'docs/parity.md'), 'utf8');

/** The sources of the tests: a title of a table of tests is put together there, and what its rows share stands as it is. */
const sources = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts') && !name.startsWith('parity'))
  .map((name) => readFileSync(join(root, 'test', name), 'utf8'));

/** Cells of every row of every table, its head and the line below it left out. */
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.slice(1, -1).split('|'))
  .map((cells) => cells.map((cell) => cell.trim()))
  .filter(([first]) => first !== 'mio' && !/^-+$/.test(first ?? ''));

function isTitle(title: string): boolean {
  // Quoted as the source quotes it.
  const spellings = [title, title.replaceAll("'", "\\'")];
  return sources.some((source) => spellings.some((spelling) => source.includes(spelling)));
}

test('the tables have a row for every promise, each once', (t) => {
  t.true(rows.length >= 100, `${rows.length} rows`);
  const sections = text.split(/^## /m).slice(1);
  for (const section of sections) {
    const names = [...section.matchAll(/^\| (.*?) \|/gm)].map(([, name]) => name);
    t.deepEqual(names, [...new Set(names)]);
  }
  t.true(rows.every((cells) => cells.length === 3 && cells.every((cell) => cell !== '')));
});

test('every test that is named exists', (t) => {
  const missing = rows.flatMap(([name, , proof = '']) => {
    const title = /^test: (.*)$/.exec(proof)?.[1];
    return title === undefined || isTitle(title) ? [] : [`${name}: ${title}`];
  });
  t.deepEqual(missing, []);
});

test('what is absent says why, and errors that are named exist', (t) => {
  for (const [name = '', here = '', proof = ''] of rows) {
    if (proof.startsWith('test: ')) continue;
    t.regex(proof, /^absent: ./, name);
    t.regex(here, /_absent_|unspecified/, name);
  }
  for (const [code] of text.matchAll(/ERR_SIDEPORT_\w+/g))
    t.true((errorCodes as readonly string[]).includes(code), code);
});
