// Cross-compiles the addon by mingw-w64's GCC, with every warning an error.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../suite.mjs';
import { forEachSource, run } from './compile.mjs';
import { COMPILER, DLLTOOL } from './debian.mjs';
import { workshop } from './folders.mjs';
import { nodeApiHeaders } from './packages.mjs';
import { recipe } from './recipe.mjs';

/** Of libuv, which node.exe exports too. */
const UV_CALLS = ['uv_async_init', 'uv_async_send', 'uv_close', 'uv_ref', 'uv_unref'];

/** The folder to name in SIDEPORT_PREBUILD; the addon is where node-gyp-build looks in it. */
export async function buildForWindows() {
  const output = join(workshop, 'package/build/Release');
  const objects = join(workshop, 'objects');
  for (const folder of [output, objects]) mkdirSync(folder, { recursive: true });
  const { sources, flags, libraries } = recipe('win');
  const optimised = [...flags, '-O2'];
  const linked = await forEachSource(sources, objects, optimised, (source, object) =>
    run(COMPILER, [...optimised, '-c', source, '-o', object], { cwd: root }),
  );
  const library = await importLibrary(objects);
  const addon = join(output, 'sideport.node');
  // -static: the compiler's own libraries go into the addon; Windows has none of them.
  const link = ['-shared', '-static', '-s', '-o', addon, ...linked, library, ...libraries];
  await run(COMPILER, link, { cwd: root });
  return join(workshop, 'package');
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
