// Whether every native source is plain C++17 to every compiler at hand, without a warning: for Linux to GCC and clang, for
// Windows to mingw-w64's GCC, and to clang with that one's headers.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../suite.mjs';
import { forEachSource, run } from './compile.mjs';
import { COMPILER as MINGW } from './debian.mjs';
import { workshop } from './folders.mjs';
import { recipe } from './recipe.mjs';

/** GCC gives some warnings, of what is unused, only when it compiles. */
const COMPILED = ['-c', '-o', '/dev/null'];
const PARSED = '-fsyntax-only';

const CHECKS = [
  { name: 'g++ for Linux', system: 'linux', compiler: 'g++', needs: ['g++'], flags: () => COMPILED },
  { name: 'clang++ for Linux', system: 'linux', compiler: 'clang++', needs: ['clang++'], flags: () => [PARSED] },
  { name: 'g++ for Windows', system: 'win', compiler: MINGW, needs: [MINGW], flags: () => COMPILED },
  {
    name: 'clang++ for Windows',
    system: 'win',
    compiler: 'clang++',
    needs: ['clang++', MINGW],
    flags: () => [PARSED, '--target=x86_64-w64-mingw32', ...mingwLibrary().flatMap((path) => ['-isystem', path])],
  },
];

/** Prints what is wrong, and which compiler is not there to ask; whether nothing was wrong. */
export async function checkSyntax() {
  let clean = true;
  for (const check of CHECKS) clean = (await passes(check)) && clean;
  return clean;
}

async function passes({ name, system, compiler, needs, flags }) {
  const missing = needs.filter((program) => spawnSync(program, ['--version']).status !== 0);
  if (missing.length > 0) {
    console.log(`lint: not compiled by ${name}: ${missing.join(' and ')} is not installed`);
    return true;
  }
  const { sources, flags: common } = recipe(system);
  const all = [...common, ...flags()];
  const folder = join(workshop, 'syntax', name.replaceAll(' ', '-'));
  try {
    await forEachSource(sources, folder, [compiler, ...all], (source) =>
      run(compiler, [...all, source], { cwd: root }),
    );
    return true;
  } catch (error) {
    console.error(`lint: ${name}\n${error.stderr ?? error}`);
    return false;
  }
}

/** Where mingw-w64's GCC has the C++ library's headers; clang finds those of C by itself. */
function mingwLibrary() {
  const { stderr } = spawnSync(MINGW, ['-E', '-x', 'c++', '-', '-v'], { input: '', encoding: 'utf8' });
  return stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^\/.*\/c\+\+/.test(line));
}
