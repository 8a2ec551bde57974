/** What remains where a target is missed, and why: sections of docs/performance.md. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url));

let sections: readonly string[] | undefined;

/** The text under a heading, up to the next one. @throws when there is none */
export function explanation(heading: string): string {
  sections ??= readFileSync(FILE, 'utf8').split(/^## /m).slice(1);
  const section = sections.find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`docs/performance.md has no section "${heading}"`);
  return section.slice(heading.length).trim();
}
