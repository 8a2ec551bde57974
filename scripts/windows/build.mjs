// Cross-compiles the addon by mingw-w64's GCC, with every warning an error. The list of sources, the defines and the
// libraries are those of binding.gyp, by which MSVC builds it on Windows.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../suite.mjs';
import { COMPILER, DLLTOOL } from './debian.mjs';
import { workshop } from './folders.mjs';
import { nodeApiHeaders, nodeHeaders } from './packages.mjs';

const run = promisify(execFile);
const WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Werror'];
/** Of libuv, which node.exe exports too. */
const UV_CALLS = ['uv_async_init', 'uv_async_send', 'uv_close', 'uv_ref', 'uv_unref'];
const PARALLEL = 2;

/** The folder to name in SIDEPORT_PREBUILD; the addon is where node-gyp-build looks in it. */
export async function buildForWindows() {
  const output = join(workshop, 'package/build/Release');
  const objects = join(workshop, 'objects');
  for (const folder of [output, objects]) mkdirSync(folder, { recursive: true });
  const { sources, flags, libraries } = recipe();
  const headers = fingerprint();
  const tasks = sources.map((source) => async () => {
    const object = join(objects, `${source.replaceAll('/', '_')}.o`);
    await unlessDone(object, [headers, readFileSync(join(root, source)), flags], () =>
      run(COMPILER, [...flags, '-c', source, '-o', object], { cwd: root }),
    );
    return object;
  });
  const linked = await inParallel(tasks);
  const library = await importLibrary(objects);
  const addon = join(output, 'sideport.node');
  // -static: the compiler's own libraries go into the addon; Windows has none of them.
  const link = ['-shared', '-static', '-s', '-o', addon, ...linked, library, ...libraries];
  await run(COMPILER, link, { cwd: root });
  return join(workshop, 'package');
}

function recipe() {
  const [target] = JSON.parse(readFileSync(join(root, 'binding.gyp'), 'utf8')).targets;
  const [, windows] = target.conditions.find(([condition]) => condition === "OS=='win'");
  const defines = [...target.defines, ...windows.defines, 'NODE_GYP_MODULE_NAME=sideport', 'BUILDING_NODE_EXTENSION'];
  const addonApi = createRequire(import.meta.url)('node-addon-api').include_dir;
  return {
    sources: [...target.sources, ...windows.sources],
    flags: [
      '-std=c++17',
      '-O2',
      ...WARNINGS,
      '-Inative',
      ...[join(nodeApiHeaders(), 'include'), nodeHeaders(), join(root, addonApi)].flatMap((path) => ['-isystem', path]),
      ...defines.map((define) => `-D${define}`),
    ],
    libraries: windows.libraries.map((library) => library.replace(/\.lib$/, '')),
  };
}

/** Of all headers: whichever changes, everything is compiled anew. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const name of readdirSync(join(root, 'native'), { recursive: true }).sort()) {
    if (name.endsWith('.h')) hash.update(name).update(readFileSync(join(root, 'native', name)));
  }
  return hash.digest('hex');
}

async function unlessDone(object, inputs, make) {
  const hash = createHash('sha256');
  for (const input of inputs.flat()) hash.update(input);
  const digest = hash.digest('hex');
  const note = `${object}.sha256`;
  if (existsSync(object) && existsSync(note) && readFileSync(note, 'utf8') === digest) return;
  await make();
  writeFileSync(note, digest);
}

/** From the .def files, which have no name of their own and lack a final newline. */
async function importLibrary(folder) {
  const names = ['js_native_api.def', 'node_api.def'].flatMap((file) =>
    readFileSync(join(nodeApiHeaders(), 'def', file), 'utf8')
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line && !/^(NAME|LIBRARY|EXPORTS)\b/i.test(line)),
  );
  const definitions = join(folder, 'node.def');
  writeFileSync(definitions, `NAME node.exe\nEXPORTS\n${[...names, ...UV_CALLS].join('\n')}\n`);
  const library = join(folder, 'libnode.a');
  await run(DLLTOOL, ['-d', definitions, '-l', library]);
  return library;
}

async function inParallel(tasks) {
  const results = [];
  const next = async (at) => {
    for (; at < tasks.length; at += PARALLEL) results[at] = await tasks[at]();
  };
  await Promise.all(Array.from({ length: PARALLEL }, (_, at) => next(at)));
  return results;
}
