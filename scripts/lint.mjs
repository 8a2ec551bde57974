// `npm run lint`: TypeScript by biome, C++ and C by clang-format, C++ by the compilers at hand. All must be clean.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkSyntax } from './windows/syntax.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const native = ['native', 'bench'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => /\.(h|cc|c)$/.test(name))
    .map((name) => join(folder, name)),
);

function run(command, args) {
  const { error, status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error?.code === 'ENOENT') {
    console.error(`lint: ${command} is not installed (Debian: apt-get install ${command})`);
    return false;
  }
  return status === 0;
}

const clean = [
  run('npx', ['biome', 'check', '--error-on-warnings']),
  run('npx', ['tsc', '--noEmit']),
  run('clang-format', ['--dry-run', '--Werror', ...native]),
  await checkSyntax(),
];
process.exit(clean.every(Boolean) ? 0 : 1);
