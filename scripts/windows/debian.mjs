// The programs that Debian brings: a cross compiler and Wine.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export const COMPILER = 'x86_64-w64-mingw32-g++-posix';
export const DLLTOOL = 'x86_64-w64-mingw32-dlltool';

/** Debian keeps these two outside PATH. */
const WINE_FOLDERS = ['/usr/lib/wine', '/usr/lib64/wine', '/usr/bin'];

const PACKAGES = [
  ['g++-mingw-w64-x86-64-posix', () => inPath(COMPILER) && inPath(DLLTOOL)],
  ['wine64', () => wineProgram('wine64') !== undefined && wineProgram('wineserver64') !== undefined],
  // Reserves the addresses that Windows gives to fixed things. Without it Linux may have put the heap there before Wine
  // comes: of 4 000 programs started one ended at once, and its starter was told "spawn UNKNOWN".
  ['wine64-preloader', () => wineProgram('wine64-preloader') !== undefined],
];

/** Installs what is missing; without the right to, it says what to install. */
export function installPackages() {
  const missing = PACKAGES.filter(([, isThere]) => !isThere()).map(([name]) => name);
  if (missing.length === 0) return;
  console.log(`apt-get install ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...missing]]) {
    const { status, stdout, stderr, error } = spawnSync('apt-get', args, { env, encoding: 'utf8' });
    if (status === 0) continue;
    throw new Error(`${error ?? stdout + stderr}\ntest:windows needs ${missing.join(' and ')} (Debian's names)`);
  }
}

export function wineProgram(name) {
  return WINE_FOLDERS.map((folder) => `${folder}/${name}`).find(existsSync);
}

function inPath(program) {
  return spawnSync(program, ['--version']).status === 0;
}
