// How the addon is compiled, of binding.gyp: its sources, defines and libraries, by which node-gyp and MSVC build it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from '../suite.mjs';
import { nodeHeaders } from './packages.mjs';

const WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Werror'];

/** For `win` or `linux`, as gyp calls them. Every warning is an error; the warnings of others' headers are theirs. */
export function recipe(system) {
  const [target] = JSON.parse(readFileSync(join(root, 'binding.gyp'), 'utf8')).targets;
  const chosen = target.conditions.flatMap(([condition, then, otherwise]) => {
    const branch = condition === `OS=='${system}'` ? then : otherwise;
    return branch ? [branch] : [];
  });
  const all = (key) => [target, ...chosen].flatMap((part) => part[key] ?? []);
  const defines = [...all('defines'), 'NODE_GYP_MODULE_NAME=sideport', 'BUILDING_NODE_EXTENSION'];
  const addonApi = createRequire(import.meta.url)('node-addon-api').include_dir;
  return {
    sources: all('sources'),
    flags: [
      '-std=c++17',
      ...WARNINGS,
      '-Inative',
      ...[nodeHeaders(), join(root, addonApi)].flatMap((path) => ['-isystem', path]),
      ...defines.map((define) => `-D${define}`),
    ],
    libraries: all('libraries').map((library) => library.replace(/\.lib$/, '')),
  };
}
