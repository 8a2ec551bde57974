/** The C programs of bench/native, compiled when first needed into a temporary directory. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('../../../bench/native/', import.meta.url));
const compiled = new Map<string, string>();
let folder: string | undefined;

/** The program's path. @throws when there is no compiler, or it refuses (and has said why) */
export function compile(name: string): string {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  if (process.platform !== 'linux') throw new Error(`${name}.c is written for Linux`);
  folder ??= temporaryFolder();
  const program = join(folder, name);
  const args = ['-O2', '-Wall', '-Wextra', '-pthread', '-o', program, join(SOURCES, `${name}.c`)];
  const { error, status } = spawnSync('cc', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw new Error(`no C compiler: ${error.message}`);
  if (status !== 0) throw new Error(`${name}.c does not compile`);
  compiled.set(name, program);
  return program;
}

function temporaryFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sideport-bench-'));
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  return made;
}
