/** What programs get: the bundles that the package exports, and what is packed. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { underWine, unless } from './util/platform.js';

const root = new URL('../..', import.meta.url);
const BUNDLES = ['dist/lib/index.js', 'dist/lib/io-thread.cjs'];

test('a program that imports the package by its name gets the bundle, and its I/O thread runs', async (t) => {
  t.is(import.meta.resolve('sideport'), new URL('dist/lib/index.js', root).href);
  const { IoThread } = await import('sideport');
  const ioThread = IoThread.start();
  const { clients } = await ioThread.stats();
  t.is(clients, 1);
  await ioThread.close();
  t.false(ioThread.isAlive);
});

test('every source that a bundle’s map names is there', (t) => {
  for (const bundle of BUNDLES) {
    const url = new URL(`${bundle}.map`, root);
    const { sources } = JSON.parse(readFileSync(url, 'utf8')) as { sources: string[] };
    t.true(sources.some((source) => source.endsWith('.ts')));
    for (const source of sources) t.notThrows(() => readFileSync(new URL(source, url)), source);
  }
});

unless(underWine, 'npm is not among what runs under Wine')(
  'what is packed is code once, types that find each other, and the native sources',
  async (t) => {
    const pack = ['pack', '--dry-run', '--json', '--ignore-scripts'];
    // A command file on Windows.
    const { stdout } = await promisify(execFile)('npm', pack, {
      cwd: fileURLToPath(root),
      shell: process.platform === 'win32',
    });
    const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const paths = new Set(files.map(({ path }) => path));
    t.deepEqual([...paths].filter((path) => /\.[cm]?js$/.test(path)).sort(), BUNDLES);
    for (const path of ['binding.gyp', 'native/binding/addon.cc', ...BUNDLES.map((bundle) => `${bundle}.map`)])
      t.true(paths.has(path), path);
    const types = [...paths].filter((path) => path.endsWith('.d.ts'));
    t.true(types.includes('dist/src/index.d.ts'));
    for (const path of types) {
      for (const [, imported = ''] of readFileSync(new URL(path, root), 'utf8').matchAll(/from '(\.[^']*)\.js'/g)) {
        t.true(paths.has(`${posix.join(posix.dirname(path), imported)}.d.ts`), `${path} imports ${imported}`);
      }
    }
  },
);
