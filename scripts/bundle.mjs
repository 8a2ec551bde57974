// The package's two files of code: what programs import, and the I/O thread's own, which is CommonJS. Node loads modules one by one, and an
// ESM loader of its own in each worker: some 60 small modules took longer to load than all else that starting takes (docs/performance.md).
// comlink stays outside of what programs import, because it may be the program's own as well.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  outdir: 'dist/lib',
  sourcemap: true,
  sourcesContent: false,
  absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  logLevel: 'warning',
};

await Promise.all([
  build({
    ...common,
    entryPoints: { index: 'src/index.ts' },
    format: 'esm',
    external: ['comlink'],
  }),
  build({
    ...common,
    entryPoints: { 'io-thread': 'src/worker/main.ts' },
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    // What ECMAScript modules have and CommonJS has not.
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  }),
]);
